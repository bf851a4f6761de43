//! The rotation over a year of virtual time.

use super::{days, founded, rich, start};
use crate::sessions::{
    SessionKeys,
    rotation::{LIFE, Master, NOTICE, Step, plan, rotate},
};
use jiff::{SignedDuration, Timestamp};
use mcpfleet_config::stream::SessionKey;
use proptest::prelude::*;

fn keys(masters: &[Master], now: Timestamp) -> Vec<SessionKey> {
    let keys = SessionKeys::new();
    keys.adopt(masters, now);
    keys.of("uid").unwrap()
}

fn epochs(masters: &[Master], now: Timestamp) -> Vec<u32> {
    keys(masters, now).iter().map(|key| key.epoch).collect()
}

#[test]
fn a_year_passes_and_nobody_misses_a_key() {
    let (mut masters, mut now) = (founded(start()), start());
    let mut heard: Vec<(Timestamp, Vec<SessionKey>)> = vec![(now, keys(&masters, now))];
    let mut sealed: Vec<(Timestamp, SessionKey)> = Vec::new();
    while now < start() + days(365) {
        now += SignedDuration::from_hours(1);
        masters = rotate(masters, now).unwrap().0;
        let present = keys(&masters, now);
        let a_day_ago = heard.iter().rev().find(|(at, _)| *at <= now - NOTICE);
        if let Some((_, old)) = a_day_ago {
            assert!(
                old.contains(&present[0]),
                "at {now} a pod that was cut off for a day opens what is sealed now"
            );
            assert!(present.contains(&old[0]), "at {now} what that pod seals is opened");
        }
        sealed.push((now, present[0].clone()));
        let recent = sealed.iter().filter(|(at, _)| now.duration_since(*at) <= days(30));
        assert!(
            recent.clone().all(|(_, key)| present.contains(key)),
            "at {now} what was sealed within 30 days opens"
        );
        assert!(present.len() <= 3);
        heard.push((now, present));
    }
    assert_eq!(masters.last().unwrap().epoch, 13);
}

#[test]
fn the_next_is_announced_for_a_day_and_then_seals() {
    let first = founded(start());
    assert_eq!(plan(&first, start() + LIFE - SignedDuration::from_secs(1)), None);
    let due = start() + LIFE;
    let (announced, steps) = rotate(first, due).unwrap();
    assert_eq!((steps, epochs(&announced, due)), (vec![Step::Announce], vec![1, 2]));
    assert_eq!(epochs(&announced, due + NOTICE), [2, 1]);
    let (third, steps) = rotate(announced, due + LIFE).unwrap();
    assert_eq!((steps, epochs(&third, due + LIFE)), (vec![Step::Announce], vec![2, 1, 3]));
    let (switched, steps) = rotate(third, due + LIFE + NOTICE).unwrap();
    assert_eq!((steps, epochs(&switched, due + LIFE + NOTICE)), (vec![Step::Forget], vec![3, 2]));
}

#[test]
fn the_first_seals_at_once_and_an_operator_that_was_away_goes_on_where_it_was() {
    assert_eq!(epochs(&founded(start()), start()), [1]);
    let late = start() + days(400);
    let (masters, steps) = rotate(founded(start()), late).unwrap();
    assert_eq!((steps, epochs(&masters, late)), (vec![Step::Announce], vec![1, 2]));
}

#[test]
fn servers_have_keys_of_their_own_and_so_have_epochs() {
    let keys = SessionKeys::new();
    assert_eq!(keys.of("a").unwrap(), []);
    let masters = rich(start());
    keys.adopt(&masters, start());
    let (one, other) = (keys.of("a").unwrap(), keys.of("b").unwrap());
    assert_eq!(one.iter().map(|key| key.epoch).collect::<Vec<_>>(), [2, 1, 3]);
    let mut secrets: Vec<_> = one.iter().chain(&other).map(|key| key.secret).collect();
    secrets.extend(masters.iter().map(|master| master.secret));
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 9);
    let again = SessionKeys::new();
    again.adopt(&masters, start());
    assert_eq!(again.of("a").unwrap(), one, "another leader comes to the same");
}

#[test]
fn only_other_keys_or_another_order_are_news() {
    let keys = SessionKeys::new();
    let mut changed = keys.changed();
    let masters = rich(start());
    keys.adopt(&masters, start());
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    keys.adopt(&masters, start() + SignedDuration::from_hours(1));
    assert!(!changed.has_changed().unwrap());
    keys.renew(start() + NOTICE);
    assert!(changed.has_changed().unwrap(), "the next one seals, although nobody could be asked");
    assert_eq!(keys.of("a").unwrap()[0].epoch, 3);
}

#[test]
fn keys_are_not_printed() {
    let keys = SessionKeys::new();
    keys.adopt(&founded(start()), start());
    assert_eq!(format!("{keys:?}"), "SessionKeys { masters: [Master(1 of 2027-01-15T08:00:00Z)] }");
}

proptest! {
    #[test]
    fn after_a_look_nothing_is_left_to_do(hours in prop::collection::vec(1_i64..24 * 90, 1..12)) {
        let (mut masters, mut now) = (founded(start()), start());
        for hours in hours {
            now += SignedDuration::from_hours(hours);
            masters = rotate(masters, now).unwrap().0;
            prop_assert_eq!(plan(&masters, now), None);
            prop_assert!(masters.is_sorted_by_key(|master| master.epoch) && (1..=3).contains(&masters.len()));
        }
    }
}
