//! Numbers by value: 1 is 1.0, and 2^53 + 1 is not 2^53, whichever of them is written as a float.

use std::cmp::Ordering;

use serde_json::Number;

enum Exact {
    Integer(i128),
    Float(f64),
}

/// Compares two numbers without rounding either.
pub(super) fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (exact(left)?, exact(right)?) {
        (Exact::Integer(left), Exact::Integer(right)) => Some(left.cmp(&right)),
        (Exact::Float(left), Exact::Float(right)) => left.partial_cmp(&right),
        (Exact::Integer(left), Exact::Float(right)) => integer_with_float(left, right),
        (Exact::Float(left), Exact::Integer(right)) => integer_with_float(right, left).map(Ordering::reverse),
    }
}

fn exact(number: &Number) -> Option<Exact> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => Some(Exact::Integer(number.into())),
        (_, Some(number)) => Some(Exact::Integer(number.into())),
        _ => number.as_f64().map(Exact::Float),
    }
}

/// `integer` came from 64 bits, so every float of 2^64 or more is above and below.
fn integer_with_float(integer: i128, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float <= -BEYOND {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "within 2^64, and trunc() has taken the fraction")]
    let whole = float.trunc() as i128;
    Some(integer.cmp(&whole).then(0.0.partial_cmp(&float.fract())?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_pass_by_value, reason = "literals of JSON read better without a `&`")]

    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn order(left: Value, right: Value) -> Option<Ordering> {
        compare(left.as_number().unwrap(), right.as_number().unwrap())
    }

    #[test]
    fn the_edges() {
        for (left, right, expected) in [
            (json!(1), json!(1.0), Ordering::Equal),
            (json!(0), json!(-0.0), Ordering::Equal),
            (json!(-1), json!(-1.5), Ordering::Greater),
            (json!(1), json!(1.5), Ordering::Less),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), Ordering::Greater),
            (json!(u64::MAX), json!(18_446_744_073_709_551_616.0), Ordering::Less),
            (json!(i64::MIN), json!(-9_223_372_036_854_775_808.0), Ordering::Equal),
            (json!(i64::MIN), json!(-1e300), Ordering::Greater),
            (json!(u64::MAX), json!(i64::MIN), Ordering::Greater),
            (json!(1e308), json!(u64::MAX), Ordering::Greater),
            (json!(i64::MAX), json!(9_223_372_036_854_775_808_u64), Ordering::Less),
        ] {
            assert_eq!(order(left.clone(), right.clone()), Some(expected), "{left} with {right}");
            assert_eq!(order(right.clone(), left.clone()), Some(expected.reverse()), "{right} with {left}");
        }
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(left: i64, right: u64) {
            prop_assert_eq!(order(json!(left), json!(right)), Some(i128::from(left).cmp(&i128::from(right))));
        }

        #[test]
        fn small_integers_and_floats_compare_as_floats(left: i32, right in -1e10..1e10_f64) {
            prop_assert_eq!(order(json!(left), json!(right)), f64::from(left).partial_cmp(&right));
        }

        #[test]
        fn is_antisymmetric(left: u64, right in any::<f64>().prop_filter("JSON", |f| f.is_finite())) {
            let there = order(json!(left), json!(right));
            prop_assert_eq!(there.map(Ordering::reverse), order(json!(right), json!(left)));
        }
    }
}
