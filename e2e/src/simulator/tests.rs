//! The committed page is what the simulator says, and it says what we claim.

use super::{document, plot, run, run_trace, score::Score, trace};
use std::{fs, path::Path};

fn scores(trace: trace::Trace) -> [Score; 3] {
    run_trace(trace).scores.try_into().unwrap()
}

#[test]
fn the_page_and_its_plots_are_what_the_simulator_writes() {
    let outcomes = run();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/autoscaling.md");
    let kept = fs::read_to_string(&page).unwrap();
    assert!(document::renew(&kept, &outcomes).unwrap() == kept, "out of date: run `make simulate`");
    for outcome in &outcomes {
        let path = page.with_extension("").join(format!("{}.svg", outcome.trace.name));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == plot::svg(outcome), "{} is out of date: run `make simulate`", path.display());
    }
}

#[test]
fn every_call_is_served_refused_cut_or_still_waiting_at_the_end() {
    for trace in [trace::constant(), trace::flash_crowd(), trace::long_calls()] {
        let calls = trace.calls.len();
        for score in scores(trace) {
            let ended = score.waits.len() + usize::try_from(score.refused).unwrap();
            assert!(ended <= calls, "{}: {ended} of {calls}", score.scaler);
            let open = calls - ended;
            assert!(open <= 200 + usize::try_from(score.cut).unwrap(), "{}: {open} of {calls}", score.scaler);
        }
    }
}

#[test]
fn no_call_is_cut_however_long_it_runs() {
    let [ours, hpa, knative] = scores(trace::long_calls());
    assert_eq!(ours.cut, 0);
    assert!(hpa.cut > 0 && knative.cut > 0, "the trace has calls longer than the grace period");
    assert!(ours.replicas.windows(2).any(|pair| pair[1].1 < pair[0].1), "pods were taken away");
}

#[test]
fn a_burst_waits_no_longer_and_is_refused_no_more_than_with_the_hpa() {
    for trace in [trace::burst(), trace::flash_crowd()] {
        let [ours, hpa, _] = scores(trace);
        assert!(ours.wait(99) <= hpa.wait(99));
        assert!(ours.refused <= hpa.refused);
    }
}
