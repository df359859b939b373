//! Which worker a sensor prefers: rendezvous hashing.
//!
//! Each pair of sensor and worker has a fixed random weight, and the heaviest worker wins. So every process that knows the
//! same workers names the same one without asking anybody; a worker that goes moves only its own sensors, one that comes
//! takes only its share. The mixing is written out, because the weights must not change between builds or machines.

use std::cmp::Reverse;

/// The worker that `sensor` prefers among `candidates`, in whatever order they are given.
pub fn preferred(sensor: i64, candidates: &[i64]) -> Option<i64> {
    candidates.iter().copied().max_by_key(|&worker| (weight(sensor, worker), Reverse(worker)))
}

fn weight(sensor: i64, worker: i64) -> u64 {
    mix(mix(worker.cast_unsigned()) ^ sensor.cast_unsigned())
}

/// The finaliser of `SplitMix64`: every bit of the input changes each bit of the output with even odds.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn never_changes() {
        let places = [1, 2, 3, 4, 5, 6, 7, 8].map(|sensor| preferred(sensor, &[1, 2, 3]).unwrap());
        assert_eq!(places, [3, 1, 3, 2, 3, 2, 3, 2]);
        assert_eq!(preferred(1, &[]), None);
    }

    #[test]
    fn spreads_fairly() {
        let workers: Vec<i64> = (1..=10).collect();
        let mut counts = HashMap::new();
        for sensor in 0..10_000 {
            *counts.entry(preferred(sensor, &workers).unwrap()).or_insert(0) += 1;
        }
        assert!(workers.iter().all(|worker| (880..1_120).contains(&counts[worker])), "{counts:?}");
    }

    proptest! {
        #[test]
        fn a_worker_that_goes_moves_only_its_own(
            sensor: i64, workers in prop::collection::hash_set(any::<i64>(), 2..8), gone: prop::sample::Index,
        ) {
            let all: Vec<i64> = workers.into_iter().collect();
            let gone = *gone.get(&all);
            let rest: Vec<i64> = all.iter().copied().filter(|&worker| worker != gone).collect();
            let before = preferred(sensor, &all).unwrap();
            if before != gone {
                prop_assert_eq!(preferred(sensor, &rest), Some(before));
            }
        }

        #[test]
        fn the_order_of_candidates_does_not_matter(sensor: i64, mut workers: Vec<i64>) {
            let first = preferred(sensor, &workers);
            workers.reverse();
            prop_assert_eq!(preferred(sensor, &workers), first);
        }
    }
}
