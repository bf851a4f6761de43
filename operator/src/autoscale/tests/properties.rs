//! Promises that hold for any load.

use super::*;
use proptest::prelude::*;

fn load() -> impl Strategy<Value = Load> {
    (0_u32..11, 0_u32..41, 0_u32..120, 0_u64..5).prop_map(|(running, queued, streams, refused)| Load {
        running,
        queued,
        streams,
        refused,
        ..Load::default()
    })
}

/// What one pod has to do over some ticks, and something more at each of them.
fn story() -> impl Strategy<Value = Vec<(Vec<Load>, Vec<Load>)>> {
    (1_usize..5).prop_flat_map(|pods| {
        let loads = || prop::collection::vec(load(), pods);
        prop::collection::vec((loads(), loads()), 5..60)
    })
}

fn more(load: &Load, extra: &Load) -> Load {
    Load {
        running: load.running + extra.running,
        queued: load.queued + extra.queued,
        streams: load.streams + extra.streams,
        refused: load.refused + extra.refused,
        ..*load
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_work_never_recommends_fewer(story in story()) {
        let pods = u32::try_from(story[0].0.len()).unwrap();
        let (mut less, mut greater) = (Bench::new(pods), Bench::new(pods));
        less.policy.scale_down_delay = Duration::from_secs(10);
        greater.policy = less.policy;
        for (loads, extra) in &story {
            let added: Vec<_> = loads.iter().zip(extra).map(|(load, extra)| more(load, extra)).collect();
            let (few, many) = (less.keep(loads, 1), greater.keep(&added, 1));
            prop_assert!(few.replicas <= many.replicas, "{few:?} {many:?}");
        }
    }

    #[test]
    fn the_number_stays_within_bounds_and_reaches_them_from_outside(
        story in story(), min in 1_u32..6, more in 0_u32..6, replicas in 1_u32..20,
    ) {
        let mut bench = Bench::new(replicas);
        bench.policy = Policy { min, max: min + more, ..policy() };
        for (loads, _) in &story {
            let said = bench.keep(loads, 1).replicas;
            prop_assert!(said >= min);
            prop_assert!(said <= (min + more).max(replicas));
            if replicas > min + more {
                prop_assert!(said < replicas);
            }
        }
    }

    #[test]
    fn any_constant_load_comes_to_rest_and_stays_there(calls in 0_u32..400, replicas in 1_u32..40) {
        let mut bench = Bench::new(replicas);
        bench.policy.scale_down_delay = Duration::from_secs(30);
        bench.follow(calls, ticks(Duration::from_mins(30)));
        let rest = bench.replicas;
        let seen = bench.follow(calls, ticks(Duration::from_mins(30)));
        prop_assert!(seen.iter().all(|replicas| *replicas == rest), "{rest} {seen:?}");
        prop_assert_eq!(rest, calls.div_ceil(7).max(1));
    }

    #[test]
    fn while_most_are_silent_the_number_stays(story in story(), pods in 1_usize..9, reporting in 0_usize..9) {
        prop_assume!(reporting * 2 < pods);
        let mut bench = Bench::new(4);
        bench.follow(20, 30);
        let before = bench.replicas;
        for (loads, _) in &story {
            let heard: Vec<_> = (0..pods).map(|at| (at < reporting).then(|| loads[at % loads.len()])).collect();
            prop_assert_eq!(bench.tick(&heard).replicas, before);
        }
    }

    #[test]
    fn restarts_of_pods_do_not_disturb(story in story(), restarts in prop::collection::vec(any::<bool>(), 60)) {
        let pods = u32::try_from(story[0].0.len()).unwrap();
        let (mut calm, mut restarting) = (Bench::new(pods), Bench::new(pods));
        for ((loads, _), restart) in story.iter().zip(restarts) {
            if restart && restarting.signals.iter().all(|signals| signals.uptime_ms > 2_000) {
                restarting.signals.iter_mut().for_each(|signals| *signals = Signals::default());
            }
            prop_assert_eq!(calm.keep(loads, 1).replicas, restarting.keep(loads, 1).replicas);
        }
    }

    #[test]
    fn a_fall_is_one_tenth_or_one_pod(story in story(), replicas in 1_u32..50) {
        let mut bench = Bench::new(replicas);
        bench.policy.scale_down_delay = Duration::from_secs(4);
        for (loads, _) in &story {
            let said = bench.keep(loads, 1).replicas;
            prop_assert!(said + (replicas / 10).max(1) >= replicas);
        }
    }
}
