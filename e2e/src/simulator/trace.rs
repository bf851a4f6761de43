//! What callers ask for: shapes of load, each with its seed. Callers do not wait for each other (open loop).

use super::random::{Random, millis};
use std::time::Duration;

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// When it is first made.
    pub at: Duration,
    /// How long it runs.
    pub service: Duration,
}

/// What a refused caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Goes away.
    GivesUp,
    /// Comes back once, when `Retry-After` says.
    RetriesOnce,
}

/// A load over time.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its name, also of its plot's file.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// How long it lasts.
    pub length: Duration,
    /// What refused callers do.
    pub refused: Refused,
    /// Calls, by time.
    pub calls: Vec<Call>,
}

/// Every trace.
pub fn all() -> Vec<Trace> {
    vec![constant(), burst(), diurnal(), flash_crowd(), long_calls()]
}

/// The same rate for an hour.
pub fn constant() -> Trace {
    let calls = poisson(1, Duration::from_hours(1), |_| 20.0, |random| random.exponential(1.0));
    Trace {
        name: "constant",
        about: "20 calls/s of 1 s for an hour",
        length: Duration::from_hours(1),
        refused: Refused::GivesUp,
        calls,
    }
}

/// Six times the load for a minute, three times.
pub fn burst() -> Trace {
    let rate = |at: f64| if (at % 600.0 - 300.0).abs() < 30.0 { 90.0 } else { 15.0 };
    let calls = poisson(2, Duration::from_mins(30), rate, |random| random.exponential(0.8));
    Trace {
        name: "burst",
        about: "15 calls/s of 0.8 s; every 10 min a minute of 90/s, from one second to the next",
        length: Duration::from_mins(30),
        refused: Refused::GivesUp,
        calls,
    }
}

/// A day in two hours.
pub fn diurnal() -> Trace {
    let rate = |at: f64| 32.5 - 27.5 * (std::f64::consts::TAU * at / 7_200.0).cos();
    let calls = poisson(3, Duration::from_hours(2), rate, |random| random.exponential(1.0));
    Trace {
        name: "diurnal",
        about: "a day in two hours: 5 to 60 calls/s of 1 s and back",
        length: Duration::from_hours(2),
        refused: Refused::GivesUp,
        calls,
    }
}

/// Twenty times the load within ten seconds.
pub fn flash_crowd() -> Trace {
    let rate = |at: f64| {
        let since = at - 300.0;
        10.0 + 190.0 * (since / 10.0).clamp(0.0, 1.0) * (-(since - 10.0).max(0.0) / 180.0).exp()
    };
    let calls = poisson(4, Duration::from_mins(25), rate, |random| random.exponential(0.8));
    Trace {
        name: "flash-crowd",
        about: "10 calls/s of 0.8 s, 200/s within 10 s, then slowly back; refused callers come back once",
        length: Duration::from_mins(25),
        refused: Refused::RetriesOnce,
        calls,
    }
}

/// Calls of minutes, at a rate that rises and falls.
pub fn long_calls() -> Trace {
    let rate = |at: f64| if (at / 1_200.0) % 2.0 < 1.0 { 0.1 } else { 0.5 };
    let calls = poisson(5, Duration::from_hours(2), rate, |random| random.lognormal(120.0, 0.8));
    Trace {
        name: "long-calls",
        about: "streamed calls, half of them above 2 min and some above 10; 0.1/s and 0.5/s in turns of 20 min",
        length: Duration::from_hours(2),
        refused: Refused::GivesUp,
        calls,
    }
}

/// Arrivals that do not know each other, `rate` a second at a time of so many seconds.
fn poisson(
    seed: u64,
    length: Duration,
    rate: impl Fn(f64) -> f64,
    service: impl Fn(&mut Random) -> f64,
) -> Vec<Call> {
    // Candidates at the highest rate, of which the share that `rate` says is taken.
    const HIGHEST: f64 = 200.0;
    let (mut arrivals, mut lengths) = (Random::new(seed), Random::new(seed ^ 0xca11));
    let mut calls = Vec::new();
    let mut at = arrivals.exponential(1.0 / HIGHEST);
    while at < length.as_secs_f64() {
        if arrivals.unit() * HIGHEST < rate(at) {
            calls.push(Call { at: millis(at), service: millis(service(&mut lengths)) });
        }
        at += arrivals.exponential(1.0 / HIGHEST);
    }
    calls
}
