//! Single promises, each by an example.

use super::*;
use crate::autoscale::Reason;

#[test]
fn a_minute_of_load_is_spread_at_seventy_percent() {
    let mut bench = Bench::new(3);
    let said = bench.keep(&[running(10), running(9), running(10)], 60);
    assert_eq!((said.replicas, said.reason), (5, Reason::Load), "29 calls, 7 a pod");
    assert!(said.message.contains("5 needed (29.0 calls over 60 s, at 7.0 calls a pod)"), "{}", said.message);
}

#[test]
fn a_jump_is_answered_within_seconds_and_nothing_falls_for_a_minute_after() {
    let mut bench = Bench::new(4);
    bench.policy.scale_down_delay = Duration::from_secs(2);
    bench.keep(&[running(4); 4], 40);
    let jump = Load { queued: 20, ..running(10) };
    let said = bench.keep(&[jump; 4], 3);
    assert_eq!((said.replicas, said.reason), (18, Reason::Panic), "120 calls, 7 a pod");
    bench.replicas = 18;
    let held = bench.keep(&[running(1); 18], ticks(Duration::from_mins(1)) - 1);
    assert_eq!((held.replicas, held.reason), (18, Reason::Panic));
    let later = bench.keep(&[running(1); 18], 6);
    assert_eq!((later.replicas, later.reason), (17, Reason::Surplus));
}

#[test]
fn those_who_wait_are_let_in_without_waiting_for_the_minute() {
    let said_with = |target_queue_wait| {
        let mut bench = Bench::new(4);
        bench.policy.target_queue_wait = target_queue_wait;
        bench.keep(&[running(7); 4], 40);
        bench.keep(&[Load { queued: 5, ..running(10) }; 4], 1)
    };
    let hasty = said_with(Duration::from_millis(250));
    assert_eq!((hasty.replicas, hasty.reason), (6, Reason::QueueWait), "a place for each that runs or waits");
    let patient = said_with(Duration::from_secs(4));
    assert_eq!(patient.replicas, 5, "in 4 s a place serves four calls of 1 s");
}

#[test]
fn streams_and_calls_are_counted_apart() {
    let streams = Load { streams: 100, ..Load::default() };
    let said = Bench::new(3).keep(&[streams; 3], 40);
    assert_eq!((said.replicas, said.reason), (4, Reason::Streams), "300 streams, 80 a pod");
    let both = Bench::new(3).keep(&[Load { streams: 80, ..running(7) }; 3], 40);
    assert_eq!((both.replicas, both.reason), (3, Reason::Steady), "streams take no place of a call");
}

#[test]
fn waits_further_down_are_no_reason_to_scale() {
    let stuck = Load { running: 10, blocked: 10, queued: 40, refused: 50, ..Load::default() };
    let said = Bench::new(2).keep(&[stuck; 2], 60);
    assert_eq!((said.replicas, said.reason), (2, Reason::Steady));
    let half = Bench::new(2).keep(&[Load { blocked: 5, ..running(10) }; 2], 60);
    assert_eq!(half.replicas, 2, "10 calls of 20 count");
}

#[test]
fn a_saturated_queue_is_not_read_as_its_bound() {
    let full = Load { running: 1, queued: 36, ..Load::default() };
    let mut bench = Bench::new(2);
    // A queue of 40 is small beside 1000 places: read as its bound it would need nobody more.
    bench.policy.concurrency = 1_000;
    let said = bench.keep(&[full; 2], warm_up());
    assert_eq!((said.replicas, said.reason), (4, Reason::Saturated));
}

#[test]
fn while_the_first_step_cannot_have_helped_yet_there_is_no_second() {
    let full = Load { running: 1, queued: 40, ..Load::default() };
    let mut bench = Bench::new(1);
    bench.policy.concurrency = 1_000;
    bench.keep(&[full], warm_up());
    bench.replicas = 2;
    assert_eq!(bench.keep(&[full], 60).replicas, 2, "the second pod has not come yet");
    assert_eq!(bench.keep(&[full, full], 4).replicas, 4);
    bench.replicas = 4;
    assert_eq!(
        bench.keep(&[full, full, Load::default(), Load::default()], 1).replicas,
        4,
        "it has just come"
    );
    assert_eq!(
        bench.keep(&[full, full, Load::default(), Load::default()], 3).replicas,
        6,
        "two are still full"
    );
}

#[test]
fn refused_callers_count_by_the_time_they_would_have_taken() {
    let quiet = Bench::new(2).keep(&[running(10); 2], 60).replicas;
    let refusing = Bench::new(2).keep(&[Load { refused: 100, ..running(10) }; 2], 60);
    assert_eq!(
        (quiet, refusing.replicas),
        (3, 18),
        "20 that run, 100 refused a second, 1 s each; at 7 a pod"
    );
}

#[test]
fn turning_it_on_or_a_new_leader_takes_no_pod_before_a_whole_delay() {
    let mut bench = Bench::new(8);
    let seen = bench.follow(0, ticks(bench.policy.scale_down_delay));
    assert!(seen.iter().all(|replicas| *replicas == 8), "{seen:?}");
    assert_eq!(bench.follow(0, 5).last(), Some(&7));
}

#[test]
fn the_first_seconds_change_nothing_but_then_load_may_raise() {
    let mut bench = Bench::new(2);
    let early = bench.keep(&[running(10); 2], warm_up() - 1);
    assert_eq!((early.replicas, early.reason), (2, Reason::Frozen));
    assert_eq!(bench.keep(&[running(10); 2], 1).replicas, 3);
}

#[test]
fn fewer_than_half_reporting_freezes_and_afterwards_nothing_falls_for_a_whole_delay() {
    let mut bench = Bench::new(5);
    bench.policy.scale_down_delay = Duration::from_secs(20);
    bench.keep(&[running(4); 5], 20);
    let silent = [Some(running(10)), Some(running(10)), None, None, None];
    let said = bench.tick(&silent);
    assert_eq!((said.replicas, said.reason), (5, Reason::Frozen));
    assert!(said.message.contains("2 of 5"), "{}", said.message);
    let back = bench.keep(&[running(0); 5], 10);
    assert_eq!(back.replicas, 5);
}

#[test]
fn a_pod_that_does_not_report_is_taken_to_be_needed_on_the_way_down_and_idle_on_the_way_up() {
    let mut bench = Bench::new(4);
    bench.policy.scale_down_delay = Duration::from_secs(10);
    let quiet = [Some(running(7)), Some(running(7)), Some(running(7)), None];
    let said = (0..60).map(|_| bench.tick(&quiet)).last().unwrap();
    assert_eq!(said.replicas, 4, "three are needed, and the fourth may be");
    let heard = bench.keep(&[running(7), running(7), running(7), running(0)], 10);
    assert_eq!(heard.replicas, 3);
}

#[test]
fn pods_go_a_tenth_a_minute_and_wait_for_the_last_step_to_be_done() {
    let mut bench = Bench::new(30);
    let idle = [Load::default(); 30];
    let first = bench.keep(&idle, ticks(bench.policy.scale_down_delay) + 5);
    assert_eq!(first.replicas, 27);
    assert_eq!(bench.keep(&idle, 100).replicas, 27, "the pods that drain are not empty yet");
    bench.replicas = 27;
    assert_eq!(bench.keep(&idle[..27], ticks(STEP)).replicas, 27);
    assert_eq!(bench.keep(&idle[..27], 1).replicas, 25);
}

const STEP: Duration = Duration::from_mins(1);

#[test]
fn load_that_comes_back_while_a_pod_drains_calls_it_back() {
    let mut bench = Bench::new(4);
    bench.keep(&[running(4); 4], ticks(bench.policy.scale_down_delay) + 5);
    let draining = Load { serving: Serving::Draining, ..running(2) };
    let loads = [running(5), running(5), running(4), draining];
    assert_eq!(bench.keep(&loads, 5).replicas, 3);
    let more = Load { queued: 2, ..running(10) };
    assert!(bench.keep(&[more, more, more, draining], 5).replicas >= 4);
}

#[test]
fn the_load_of_draining_pods_counts_and_their_capacity_does_not() {
    let draining = Load { serving: Serving::Draining, ..running(10) };
    let mut bench = Bench::new(4);
    let said = bench.keep(&[draining, draining, draining, running(5)], 60);
    assert_eq!(said.replicas, 5, "35 calls at 7 a pod");
    let all = bench.keep(&[running(10), running(10), running(10), running(5)], 1);
    assert_eq!(all.replicas, said.replicas);
}

#[test]
fn of_a_full_fleet_only_the_pods_that_serve_are_doubled() {
    let full = Load { running: 1, queued: 40, ..Load::default() };
    let draining = Load { serving: Serving::Draining, ..running(1) };
    let mut bench = Bench::new(3);
    bench.policy.concurrency = 1_000;
    let said = bench.keep(&[full, full, draining], 10);
    assert_eq!((said.replicas, said.reason), (4, Reason::Saturated));
}

#[test]
fn a_server_that_was_stopped_by_hand_stays_stopped_and_starts_afresh() {
    let mut bench = Bench::new(0);
    let said = bench.keep(&[running(10); 3], 60);
    assert_eq!((said.replicas, said.reason), (0, Reason::Stopped));
    bench.replicas = 1;
    assert_eq!(bench.keep(&[running(10)], 1).reason, Reason::Frozen);
}

#[test]
fn bounds_count_at_once_even_while_nothing_is_known() {
    let mut bench = Bench::new(1);
    bench.policy.min = 3;
    let said = bench.tick(&[None]);
    assert_eq!((said.replicas, said.reason), (3, Reason::Bounds));
    bench.replicas = 60;
    bench.policy.max = 20;
    let down = bench.tick(&[None; 60]);
    assert_eq!((down.replicas, down.reason), (54, Reason::Bounds), "by steps, so that pods can drain");
}

#[test]
fn the_upper_bound_is_said_when_it_holds_back() {
    let mut bench = Bench::new(3);
    bench.policy.max = 3;
    let said = bench.keep(&[running(10); 3], 60);
    assert_eq!((said.replicas, said.reason), (3, Reason::Bounds));
    assert!(said.message.contains("5 needed"), "{}", said.message);
}
