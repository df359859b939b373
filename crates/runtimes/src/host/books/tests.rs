//! Who gets which host. Hosts are numbers here, the group of each in its hundreds.

use std::time::Duration;

use tokio::time::Instant;

use super::*;

const MB: u64 = 1024 * 1024;

fn books(budget: u64) -> Books<u32> {
    Books::new(Settings { lanes: 2, ..Settings::within(budget) })
}

fn granted(step: Step<u32>) -> Grant<u32> {
    match step {
        Step::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

fn waits(step: Step<u32>) -> oneshot::Receiver<Grant<u32>> {
    match step {
        Step::Wait(receiver) => receiver,
        other => panic!("{other:?}"),
    }
}

/// A seat that was granted, with its host started.
fn seated(books: &mut Books<u32>, step: Step<u32>, now: Instant) -> u64 {
    let Grant::Seat(id) = granted(step) else { panic!("a host was there already") };
    books.started(id, 1, now);
    id
}

fn slow(books: &mut Books<u32>, group: u64, now: Instant) -> u64 {
    let step = books.ask_slow(group, true, now);
    seated(books, step, now)
}

/// Two keys of different places in the fast lane.
fn two_keys(books: &Books<u32>) -> (i64, i64) {
    let other = (2..1000).find(|key| books.slot(*key) != books.slot(1)).unwrap();
    (1, other)
}

#[test]
fn one_host_is_enough_until_it_is_busy() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let (one, other) = two_keys(&books);
    let id = slow(&mut books, 1, now);
    books.park(id, 100, now);
    // It becomes the fast lane's, for whichever place asks first.
    assert_eq!(granted(books.ask_fast(1, one, now)), Grant::Host(id, 100));
    let step = books.ask_fast(1, other, now);
    let second = seated(&mut books, step, now);
    books.park(id, 100, now);
    books.park(second, 101, now);
    // Now each sticks to its own.
    assert_eq!(granted(books.ask_fast(1, one, now)), Grant::Host(id, 100));
    let mut queue = waits(books.ask_fast(1, one, now));
    books.park(id, 100, now);
    assert_eq!(queue.try_recv(), Ok(Grant::Host(id, 100)));
    assert_eq!(books.hosts(), 2);
}

#[test]
fn who_holds_up_a_place_is_passed_over() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let step = books.ask_fast(1, 1, now);
    let Grant::Seat(id) = granted(step) else { panic!() };
    let later = now + Duration::from_millis(60);
    books.pass_over(1, 1, later);
    drop(waits(books.ask_fast(1, 1, later)));
    books.started(id, 1, now);
    books.pass_over(1, 1, now);
    drop(waits(books.ask_fast(1, 1, now)));
    books.pass_over(1, 1, later);
    let other = granted(books.ask_fast(1, 1, later));
    assert!(matches!(other, Grant::Seat(second) if second != id));
    // Back from its long turn it is one of the slow lane.
    books.park(id, 100, later);
    assert_eq!(granted(books.ask_slow(1, false, later)), Grant::Host(id, 100));
}

#[test]
fn few_are_started_unless_somebody_presses() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let first = slow(&mut books, 1, now);
    let step = books.ask_slow(1, false, now);
    seated(&mut books, step, now);
    let mut patient = waits(books.ask_slow(1, false, now));
    slow(&mut books, 1, now);
    assert_eq!(books.hosts(), 3);
    books.park(first, 100, now);
    assert_eq!(patient.try_recv(), Ok(Grant::Host(first, 100)));
}

#[test]
fn not_more_are_started_at_once_than_there_are_cores() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let Grant::Seat(first) = granted(books.ask_slow(1, true, now)) else { panic!() };
    granted(books.ask_slow(1, true, now));
    let mut third = waits(books.ask_slow(1, true, now));
    let mut fourth = waits(books.ask_slow(1, true, now));
    // One that does not come up holds up its own kind only.
    let Grant::Seat(other) = granted(books.ask_slow(2, true, now)) else { panic!() };
    books.started(first, 1, now);
    assert!(matches!(third.try_recv(), Ok(Grant::Seat(_))));
    books.started(other, 1, now);
    assert!(fourth.try_recv().is_err());
    books.park(first, 100, now);
    assert_eq!(fourth.try_recv(), Ok(Grant::Host(first, 100)));
}

#[test]
fn the_slow_lane_leaves_a_quarter_and_the_starving_are_served_in_turn() {
    let (mut books, now) = (books(100 * MB), Instant::now());
    // Of 16 MB each until one is measured.
    let hosts: Vec<u64> = (0..4).map(|_| slow(&mut books, 1, now)).collect();
    let mut first = waits(books.ask_slow(2, true, now));
    let mut second = waits(books.ask_slow(1, true, now));
    assert!(matches!(books.ask_fast(2, 1, now), Step::Granted(Grant::Seat(_))));
    // The host suits the second, but the first has waited longer and gets its room when that comes.
    books.park(hosts[0], 100, now);
    assert_eq!(second.try_recv(), Ok(Grant::Host(hosts[0], 100)));
    assert!(first.try_recv().is_err());
    books.leave(hosts[1], now);
    assert!(matches!(first.try_recv(), Ok(Grant::Seat(_))));
}

#[test]
fn the_least_recently_used_ends_for_another_group() {
    let (mut books, now) = (books(40 * MB), Instant::now());
    let old = slow(&mut books, 1, now);
    books.park(old, 100, now);
    let step = books.ask_fast(2, 1, now);
    let young = seated(&mut books, step, now);
    books.park(young, 200, now + Duration::from_millis(1));
    // For the fast lane anybody idle ends, the oldest first.
    assert!(matches!(books.ask_fast(3, 1, now), Step::Granted(Grant::Seat(_))));
    assert_eq!(books.take_ended(), [(100, Why::Room)]);
    // For the slow lane nobody who was used within a second.
    assert_eq!(granted(books.ask_fast(2, 1, now)), Grant::Host(young, 200));
}

#[test]
fn who_has_hosts_of_its_own_waits_for_them() {
    let (mut books, now) = (books(64 * MB), Instant::now());
    let own = slow(&mut books, 1, now);
    let (one, other) = (slow(&mut books, 2, now), slow(&mut books, 2, now));
    let mut first = waits(books.ask_slow(1, true, now));
    let mut third = waits(books.ask_slow(3, true, now));
    // Who has none gets the room, though it came later.
    books.park(one, 200, now);
    let Ok(Grant::Seat(seat)) = third.try_recv() else { panic!() };
    assert_eq!(books.take_ended(), [(200, Why::Room)]);
    books.started(seat, 1, now);
    books.park(other, 201, now);
    books.park(own, 100, now);
    assert_eq!(first.try_recv(), Ok(Grant::Host(own, 100)));
    // One that is held up is not waited for.
    let mut second = waits(books.ask_slow(1, true, now));
    books.sweep(now + Duration::from_secs(1));
    assert!(matches!(second.try_recv(), Ok(Grant::Seat(_))));
    assert_eq!(books.take_ended(), [(201, Why::Room)]);
}

#[test]
fn who_has_twice_as_many_can_do_without_one() {
    let (mut books, now) = (books(96 * MB), Instant::now());
    slow(&mut books, 1, now);
    let hosts: Vec<u64> = (0..3).map(|_| slow(&mut books, 2, now)).collect();
    let mut waiting = waits(books.ask_slow(1, true, now));
    books.park(hosts[0], 200, now);
    let Ok(Grant::Seat(seat)) = waiting.try_recv() else { panic!() };
    assert_eq!(books.take_ended(), [(200, Why::Room)]);
    books.started(seat, 1, now);
    // Two and two: each waits for its own.
    let mut waiting = waits(books.ask_slow(1, true, now));
    books.park(hosts[1], 201, now);
    assert!(waiting.try_recv().is_err() && books.take_ended().is_empty());
}

#[test]
fn a_budget_for_nobody_lets_one_of_each_lane_live() {
    let (mut books, now) = (books(1), Instant::now());
    let first = slow(&mut books, 1, now);
    let mut starving = waits(books.ask_slow(2, true, now));
    assert!(matches!(books.ask_fast(3, 1, now), Step::Granted(Grant::Seat(_))));
    assert!(matches!(books.ask_fast(4, 1, now), Step::Crowded));
    books.park(first, 100, now);
    assert!(matches!(starving.try_recv(), Ok(Grant::Seat(_))));
    assert_eq!(books.take_ended(), [(100, Why::Room)]);
}

#[test]
fn who_went_away_is_skipped_and_what_it_had_is_given_back() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let id = slow(&mut books, 1, now);
    slow(&mut books, 1, now);
    drop(waits(books.ask_slow(1, false, now)));
    let mut alive = waits(books.ask_slow(1, false, now));
    books.park(id, 100, now);
    let grant = alive.try_recv().unwrap();
    books.give_back(grant, now);
    assert_eq!(granted(books.ask_slow(1, false, now)), Grant::Host(id, 100));
    let step = books.ask_fast(1, 1, now);
    let seat = granted(step);
    let mut next = waits(books.ask_fast(1, 1, now));
    books.give_back(seat, now);
    assert!(matches!(next.try_recv(), Ok(Grant::Seat(_))));
}

#[test]
fn the_idle_and_the_grown_end_and_empty_groups_are_forgotten() {
    let (mut books, now) = (books(1000 * MB), Instant::now());
    let (idle, grown) = (slow(&mut books, 1, now), slow(&mut books, 2, now));
    books.note(1, 7, true);
    books.measured_first(grown, 8 * MB, now);
    books.measured(grown, 90 * MB, now - Duration::from_secs(1));
    assert_eq!((books.measure(grown), books.has_grown(grown)), (Some(8 * MB), false));
    books.park(idle, 100, now);
    books.park(grown, 200, now + Duration::from_secs(30));
    books.measured(grown, 70 * MB, now);
    books.sweep(now);
    assert_eq!(books.take_ended(), []);
    books.measured(grown, 80 * MB, now);
    assert!(books.has_grown(grown));
    books.sweep(now);
    assert_eq!(books.take_ended(), [(200, Why::Growth)]);
    assert!(books.is_quick(1, 7) && books.has_group(1) && !books.has_group(2));
    books.sweep(now + Duration::from_mins(1));
    assert_eq!(books.take_ended(), [(100, Why::Idle)]);
    assert!((books.hosts(), books.bytes()) == (0, 0) && !books.is_quick(1, 7));
}

#[test]
fn a_pool_that_takes_too_much_ends_those_that_nobody_has() {
    let (mut books, now) = (books(100 * MB), Instant::now());
    let (busy, parked) = (slow(&mut books, 1, now), slow(&mut books, 1, now));
    books.park(parked, 101, now);
    books.measured(busy, 90 * MB, now);
    books.measured(parked, 20 * MB, now);
    books.sweep(now);
    assert_eq!(books.take_ended(), [(101, Why::Room)]);
    assert_eq!((books.hosts(), books.bytes()), (1, 90 * MB));
}
