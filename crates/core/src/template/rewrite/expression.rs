//! Expressions, written out with their guards.

use std::fmt::Write;

use minijinja::Value;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};
use minijinja::value::ValueKind;

use super::guard::{ALL, KEPT, LAYER, MADE, TIMES};

/// What has been written.
#[derive(Default)]
pub(super) struct Expressions {
    pub(super) text: String,
    /// Loops and captured blocks around what is written now.
    pub(super) around: usize,
}

impl Expressions {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// An expression that stands alone: between braces, as an argument.
    pub(super) fn whole(&mut self, expr: &Expr) {
        match expr {
            Expr::Var(var) => self.push(var.id),
            Expr::Const(constant) => self.constant(&constant.value),
            Expr::Slice(slice) => self.slice(slice),
            Expr::UnaryOp(unary) => self.unary(unary),
            Expr::BinOp(binary) => self.binary(binary),
            Expr::Compare(compare) => self.compare(compare),
            Expr::IfExpr(choice) => self.choice(choice),
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => self.test(test),
            Expr::GetAttr(attr) => self.attribute(attr),
            Expr::GetItem(item) => self.item(item),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.collection('[', ']', &list.items),
            Expr::Tuple(tuple) => self.tuple(tuple),
            Expr::Map(map) => self.map(map),
        }
    }

    /// An expression that operators may stand beside.
    fn operand(&mut self, expr: &Expr) {
        let is_one_piece = match expr {
            Expr::Var(_) | Expr::GetAttr(_) => true,
            Expr::Const(constant) => {
                constant.value.kind() != ValueKind::Number || constant.value >= Value::from(0)
            }
            _ => false,
        };
        if is_one_piece { self.whole(expr) } else { self.in_parentheses(expr) }
    }

    fn in_parentheses(&mut self, expr: &Expr) {
        self.push("(");
        self.whole(expr);
        self.push(")");
    }

    /// An expression that a filter may follow.
    fn piped(&mut self, expr: &Expr) {
        if matches!(expr, Expr::Filter(_)) { self.whole(expr) } else { self.operand(expr) }
    }

    /// An operand that spends before its operator works. A short constant is worth no call.
    fn guarded(&mut self, expr: &Expr, guard: &str, times: usize) {
        self.piped(expr);
        if !is_short(expr) {
            self.pipe(guard, times);
        }
    }

    fn pipe(&mut self, guard: &str, times: usize) {
        write!(self.text, "|{guard}({times})").expect("a String takes all");
    }

    fn made(&mut self) {
        self.push("|");
        self.push(MADE);
    }

    pub(super) fn constant(&mut self, value: &Value) {
        match value.as_str() {
            Some(text) => self.quoted(text),
            None if value.is_none() => self.push("none"),
            None => match f64::try_from(value.clone()) {
                Ok(float) if !value.is_integer() && value.kind() == ValueKind::Number => {
                    write!(self.text, "{float:?}").expect("a String takes all");
                }
                _ => write!(self.text, "{value}").expect("a String takes all"),
            },
        }
    }

    /// A text as the engine reads it back. `%`, `{` and `#` are escaped too, since two of them side by side would begin or
    /// end a tag.
    pub(super) fn quoted(&mut self, text: &str) {
        self.push("\"");
        for character in text.chars() {
            match character {
                '"' | '\\' => self.text.extend(['\\', character]),
                '{' | '}' | '%' | '#' | '\0'..='\x1f' | '\x7f' => {
                    write!(self.text, "\\u{:04x}", u32::from(character)).expect("a String takes all");
                }
                _ => self.text.push(character),
            }
        }
        self.push("\"");
    }

    fn unary(&mut self, unary: &ast::UnaryOp) {
        self.push(match unary.op {
            UnaryOpKind::Not => "not ",
            UnaryOpKind::Neg => "-",
        });
        self.in_parentheses(&unary.expr);
    }

    fn binary(&mut self, binary: &ast::BinOp) {
        match binary.op {
            BinOpKind::Add if is_short(&binary.left) || is_short(&binary.right) => {
                self.chain(binary, LAYER, 1);
            }
            BinOpKind::Add => {
                self.push("(");
                self.chain(binary, LAYER, 1);
                self.push(")");
                self.made();
            }
            BinOpKind::Concat => self.chain(binary, ALL, 1),
            BinOpKind::Mul => {
                self.piped(&binary.left);
                self.push("|");
                self.push(TIMES);
                self.in_parentheses(&binary.right);
            }
            BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte
            | BinOpKind::In => {
                self.guarded(&binary.left, ALL, 1);
                self.push(sign(binary.op));
                self.guarded(&binary.right, ALL, 1);
            }
            op => {
                match &binary.left {
                    Expr::BinOp(left) if is_same(left.op, op) => self.binary(left),
                    left => self.operand(left),
                }
                self.push(sign(op));
                self.operand(&binary.right);
            }
        }
    }

    /// `a ~ b ~ c`, without parentheses however long it is. What is written first is copied once for each operator after
    /// it, and spends for all of them.
    fn chain(&mut self, binary: &ast::BinOp, guard: &str, copies: usize) {
        match &binary.left {
            Expr::BinOp(left) if is_same(left.op, binary.op) => self.chain(left, guard, copies + 1),
            left => self.guarded(left, guard, copies),
        }
        self.push(sign(binary.op));
        self.guarded(&binary.right, guard, copies);
    }

    fn compare(&mut self, compare: &ast::Compare) {
        self.guarded(&compare.expr, ALL, 2);
        for step in &compare.ops {
            self.push(comparison(step.op));
            self.guarded(&step.expr, ALL, 2);
        }
    }

    fn choice(&mut self, choice: &ast::IfExpr) {
        self.operand(&choice.true_expr);
        self.push(" if ");
        self.operand(&choice.test_expr);
        match &choice.false_expr {
            Some(otherwise @ Expr::IfExpr(_)) => {
                self.push(" else ");
                self.whole(otherwise);
            }
            Some(otherwise) => {
                self.push(" else ");
                self.operand(otherwise);
            }
            None => {}
        }
    }

    /// Without a value where a block is filtered.
    pub(super) fn filter(&mut self, filter: &ast::Filter) {
        if let Some(value) = &filter.expr {
            self.piped(value);
            self.push("|");
        }
        self.push(filter.name);
        self.arguments(&filter.args, None);
    }

    fn test(&mut self, test: &ast::Test) {
        self.piped(&test.expr);
        self.push(" is ");
        self.push(test.name);
        if !test.args.is_empty() {
            self.arguments(&test.args, None);
        }
    }

    fn attribute(&mut self, attr: &ast::GetAttr) {
        self.operand(&attr.expr);
        self.push(".");
        self.push(attr.name);
    }

    /// A text as index is looked up; a number may count through the characters of a text.
    fn item(&mut self, item: &ast::GetItem) {
        let is_name = matches!(&item.subscript_expr, Expr::Const(key) if key.value.as_str().is_some());
        if is_name {
            self.operand(&item.expr);
        } else {
            self.push("(");
            self.guarded(&item.expr, LAYER, 1);
            self.push(")");
        }
        self.push("[");
        self.whole(&item.subscript_expr);
        self.push("]");
    }

    fn slice(&mut self, slice: &ast::Slice) {
        self.push("(");
        self.guarded(&slice.expr, LAYER, 2);
        self.push(")[");
        for (index, bound) in [&slice.start, &slice.stop, &slice.step].into_iter().enumerate() {
            if index > 0 {
                self.push(":");
            }
            if let Some(bound) = bound {
                self.operand(bound);
            }
        }
        self.push("]");
        self.made();
    }

    /// What is called spends by itself, but for the methods of `loop`, which compare and keep what they are given.
    pub(super) fn call(&mut self, call: &ast::Call) {
        self.operand(&call.expr);
        let is_method = matches!(call.expr, Expr::GetAttr(_));
        self.arguments(&call.args, is_method.then_some(ALL));
    }

    fn arguments(&mut self, args: &[CallArg], guard: Option<&str>) {
        self.push("(");
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            match arg {
                CallArg::Pos(expr) => match guard {
                    Some(guard) => self.guarded(expr, guard, 1),
                    None => self.whole(expr),
                },
                CallArg::Kwarg(name, expr) => {
                    self.push(name);
                    self.push("=");
                    self.whole(expr);
                }
                CallArg::PosSplat(expr) => self.splat("*", expr),
                CallArg::KwargSplat(expr) => self.splat("**", expr),
            }
        }
        self.push(")");
    }

    fn splat(&mut self, stars: &str, expr: &Expr) {
        self.push(stars);
        self.guarded(expr, ALL, 1);
    }

    /// A list or an object that holds a value weighs what it holds, so none gets deeper than values may be.
    fn collection(&mut self, open: char, close: char, items: &[Expr]) {
        self.text.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.element(item);
        }
        self.text.push(close);
    }

    fn element(&mut self, item: &Expr) {
        if matches!(item, Expr::Const(_)) { self.whole(item) } else { self.guarded(item, ALL, 1) }
    }

    fn tuple(&mut self, tuple: &ast::Tuple) {
        self.collection('(', ' ', &tuple.items);
        self.push(if tuple.items.len() == 1 { ",)" } else { ")" });
    }

    fn map(&mut self, map: &ast::Map) {
        self.push("{");
        for (index, (key, value)) in map.keys.iter().zip(&map.values).enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.element(key);
            self.push(": ");
            self.element(value);
        }
        self.push(" }");
    }

    /// A value that a name will stand for.
    pub(super) fn kept(&mut self, expr: &Expr) {
        self.piped(expr);
        self.push("|");
        self.push(KEPT);
    }
}

/// Operators that need no parentheses in a row, so that a long row nests nothing.
fn is_same(left: BinOpKind, right: BinOpKind) -> bool {
    use BinOpKind::{Add, Concat, ScAnd, ScOr, Sub};
    matches!((left, right), (Add, Add) | (Concat, Concat) | (Sub, Sub) | (ScAnd, ScAnd) | (ScOr, ScOr))
}

/// A constant that costs nothing to speak of.
fn is_short(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(constant) if constant.value.as_str().is_none_or(|text| text.len() <= 64))
}

fn sign(op: BinOpKind) -> &'static str {
    match op {
        BinOpKind::Eq => " == ",
        BinOpKind::Ne => " != ",
        BinOpKind::Lt => " < ",
        BinOpKind::Lte => " <= ",
        BinOpKind::Gt => " > ",
        BinOpKind::Gte => " >= ",
        BinOpKind::ScAnd => " and ",
        BinOpKind::ScOr => " or ",
        BinOpKind::Add => " + ",
        BinOpKind::Sub => " - ",
        BinOpKind::Mul => " * ",
        BinOpKind::Div => " / ",
        BinOpKind::FloorDiv => " // ",
        BinOpKind::Rem => " % ",
        BinOpKind::Pow => " ** ",
        BinOpKind::Concat => " ~ ",
        BinOpKind::In => " in ",
    }
}

fn comparison(op: CompareOpKind) -> &'static str {
    match op {
        CompareOpKind::Eq => " == ",
        CompareOpKind::Ne => " != ",
        CompareOpKind::Lt => " < ",
        CompareOpKind::Lte => " <= ",
        CompareOpKind::Gt => " > ",
        CompareOpKind::Gte => " >= ",
        CompareOpKind::In => " in ",
        CompareOpKind::NotIn => " not in ",
    }
}
