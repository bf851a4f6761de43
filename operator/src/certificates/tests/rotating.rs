//! The rotation over years of virtual time.

use super::{NAME, days, founded, names, start, verified};
use crate::certificates::{
    authority::SKEW,
    rotation::{Authority, NOTICE, Step, plan, rotate},
    serving::Serving,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// A replica that leads and serves, and all bundles that it has ever written.
struct Life {
    now: Timestamp,
    authority: Option<Authority>,
    serving: Option<Serving>,
    bundles: Vec<(Timestamp, String)>,
    steps: Vec<(Timestamp, Step)>,
}

impl Life {
    fn begin() -> Self {
        let (now, authority, serving) = (start(), None, None);
        let mut life = Self { now, authority, serving, bundles: Vec::new(), steps: Vec::new() };
        life.look();
        life
    }

    /// One look of the leader.
    fn look(&mut self) {
        let (authority, steps) = rotate(self.authority.take(), self.now).unwrap();
        self.steps.extend(steps.into_iter().map(|step| (self.now, step)));
        let fits = |serving: &Serving| serving.fits(&authority.current, self.now);
        if !self.serving.as_ref().is_some_and(fits) {
            self.serving = Some(Serving::sign(&authority.current, &names(), self.now).unwrap());
        }
        self.bundles.push((self.now, authority.bundle()));
        self.authority = Some(authority);
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// What a client trusts to whom the bundle of `lag` ago is the newest.
    fn delivered(&self, lag: SignedDuration) -> &str {
        let known = self.bundles.iter().rev().find(|(written, _)| *written <= self.now - lag);
        &known.unwrap_or(&self.bundles[0]).1
    }

    fn verified_after(&self, lag: SignedDuration) -> Result<(), rustls::Error> {
        verified(self.delivered(lag), self.serving.as_ref().unwrap(), NAME, self.now)
    }

    fn happened(&self, wanted: Step) -> Vec<SignedDuration> {
        let these = self.steps.iter().filter(|(_, step)| *step == wanted);
        these.map(|(at, _)| at.duration_since(start())).collect()
    }
}

#[test]
fn five_years_pass_and_nobody_is_cut_off() {
    let mut life = Life::begin();
    for _ in 0..5 * 365 * 4 {
        life.pass(SignedDuration::from_hours(6));
        // Before the look and after it: the old certificate is good until the new one is there.
        life.verified_after(SignedDuration::ZERO).unwrap();
        life.look();
        for lag in [SignedDuration::ZERO, days(1)] {
            life.verified_after(lag).unwrap_or_else(|error| panic!("{}, {lag} behind: {error}", life.now));
        }
    }
    assert_eq!(life.happened(Step::Found).len(), 1, "the first is the only one that comes unannounced");
    assert_eq!(life.happened(Step::Announce).len(), 3);
    let announced_then_switched: Vec<_> =
        life.happened(Step::Announce).into_iter().zip(life.happened(Step::Switch)).collect();
    assert!(announced_then_switched.iter().all(|(announced, switched)| *switched - *announced >= NOTICE));
    assert_eq!(life.happened(Step::Forget).len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However long the operator was away in between, but for longer than its certificates live.
    #[test]
    fn what_was_trusted_within_a_day_verifies_what_is_served(
        pauses in prop::collection::vec((1_i64..=30 * 24 * 60, 0_i64..=24 * 60), 1..120),
    ) {
        let mut life = Life::begin();
        for (minutes, lag) in pauses {
            life.pass(SignedDuration::from_mins(minutes));
            life.look();
            let lag = SignedDuration::from_mins(lag);
            prop_assert_eq!(life.verified_after(lag), Ok(()), "at {}, {} behind", life.now, lag);
        }
    }

    #[test]
    fn after_a_look_nothing_is_left_to_do(minutes in 1_i64..=6 * 365 * 24 * 60) {
        let now = start() + SignedDuration::from_mins(minutes);
        let (once, _) = rotate(Some(founded(start())), now).unwrap();
        prop_assert_eq!(plan(Some(&once), now), None);
        let (twice, steps) = rotate(Some(once.clone()), now).unwrap();
        prop_assert_eq!(steps, Vec::new());
        prop_assert_eq!(twice.bundle(), once.bundle());
        prop_assert_eq!(twice, once);
    }
}

#[test]
fn the_next_is_announced_for_a_day_and_the_old_one_stays_until_it_expires() {
    let old = founded(start());
    let end = old.current.anchor.not_after;
    let worn = start() + days(2 * 365 * 2 / 3 + 1);
    let (announced, steps) = rotate(Some(old.clone()), worn).unwrap();
    assert_eq!(steps, [Step::Announce]);
    assert_eq!(announced.current, old.current);
    let almost = worn + NOTICE - SignedDuration::from_secs(2);
    assert_eq!(plan(Some(&announced), almost), None);
    let (switched, steps) = rotate(Some(announced.clone()), worn + NOTICE).unwrap();
    assert_eq!(steps, [Step::Switch]);
    assert_eq!(Some(switched.current.clone()), announced.next);
    assert_eq!(switched.bundle(), announced.bundle(), "who signs does not change what is trusted");
    assert_eq!(plan(Some(&switched), end - SignedDuration::from_secs(1)), None);
    let (later, steps) = rotate(Some(switched.clone()), end).unwrap();
    assert_eq!((steps, later.previous), (vec![Step::Forget], vec![]));
}

#[test]
fn an_operator_that_was_away_for_years_starts_anew() {
    let (authority, steps) = rotate(Some(founded(start())), start() + days(800)).unwrap();
    assert_eq!(steps, [Step::Found]);
    assert_eq!((authority.next, authority.previous), (None, vec![]));
}

#[test]
fn an_announced_authority_signs_at_once_when_the_old_one_has_expired() {
    let old = founded(start());
    let end = old.current.anchor.not_after;
    let late = end - SignedDuration::from_hours(1);
    let (announced, _) = rotate(Some(old), late).unwrap();
    assert!(announced.next.is_some());
    let (authority, steps) = rotate(Some(announced.clone()), end).unwrap();
    assert_eq!(steps, [Step::Switch]);
    assert_eq!(Some(authority.current), announced.next);
}

#[test]
fn a_bundle_is_the_same_text_in_whatever_order_it_came() {
    let [first, second, third] = [0, 300, 600].map(|day| founded(start() + days(day)).current);
    let authority = |previous: [usize; 2]| Authority {
        current: third.clone(),
        next: None,
        previous: previous.map(|index| [&first, &second][index].anchor.clone()).to_vec(),
    };
    let bundle = authority([0, 1]).bundle();
    assert_eq!(bundle, authority([1, 0]).bundle());
    assert_eq!(bundle, [&first, &second, &third].map(|ca| ca.anchor.pem()).concat());
}

#[test]
fn a_certificate_is_good_for_its_names_its_week_and_its_bundle_only() {
    let (ours, theirs) = (founded(start()), founded(start()));
    let serving = Serving::sign(&ours.current, &names(), start()).unwrap();
    for name in names() {
        // Clocks may differ by minutes.
        verified(&ours.bundle(), &serving, &name, start() - SKEW).unwrap();
        verified(&ours.bundle(), &serving, &name, start() + days(7)).unwrap();
    }
    let verified = |bundle: &str, name: &str, now| verified(bundle, &serving, name, now).is_ok();
    assert!(!verified(&ours.bundle(), NAME, start() - SKEW - SignedDuration::from_secs(1)));
    assert!(!verified(&ours.bundle(), NAME, start() + days(7) + SignedDuration::from_secs(1)));
    assert!(!verified(&ours.bundle(), "mcpfleet-operator.another.svc", start()));
    assert!(!verified(&theirs.bundle(), NAME, start()));
}

#[test]
fn a_certificate_is_renewed_after_two_thirds_of_its_life_or_when_another_key_signs() {
    let (ours, theirs) = (founded(start()), founded(start()));
    let serving = Serving::sign(&ours.current, &names(), start()).unwrap();
    assert!(serving.fits(&ours.current, start() + days(4)));
    assert!(!serving.fits(&ours.current, start() + days(5)));
    assert!(!serving.fits(&theirs.current, start()));
}
