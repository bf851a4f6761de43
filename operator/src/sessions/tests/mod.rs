//! What replicas may rely on: whatever one of them seals, another opens that heard of the keys within the last day.

mod keeping;
mod rotating;
mod stored;

use super::rotation::{Master, rotate};
use jiff::{SignedDuration, Timestamp};

fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn founded(now: Timestamp) -> Vec<Master> {
    rotate(Vec::new(), now).unwrap().0
}

/// An epoch that has sealed, one that seals, one that will.
fn rich(now: Timestamp) -> Vec<Master> {
    let made = |epoch, ago| Master::make(epoch, now - ago).unwrap();
    vec![made(1, days(59)), made(2, days(29)), made(3, SignedDuration::from_hours(3))]
}
