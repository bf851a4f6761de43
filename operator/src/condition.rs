//! Conditions: built by the deciding step, kept stable over time.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mcpfleet_crds::v1alpha1::{Condition, ConditionStatus};

/// Longest message, in characters. The API allows 32 KiB; nobody reads that, and it is stored on each change.
const MAX_MESSAGE: usize = 2_048;

/// A condition before it has a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its type, such as `Ready`.
    pub type_: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one CamelCase word.
    pub reason: String,
    /// Why, and what to do.
    pub message: String,
}

impl Verdict {
    /// A verdict; `status` may be a `bool`.
    pub fn new(
        type_: &'static str,
        status: impl Into<ConditionStatus>,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { type_, status: status.into(), reason: reason.into(), message: bounded(message.into()) }
    }
}

/// Cuts what is too long, on a character.
pub fn bounded(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE - 3) {
        Some((at, _)) if message.chars().count() > MAX_MESSAGE => format!("{}...", &message[..at]),
        _ => message,
    }
}

/// Gives verdicts their times: the old one where the status is what it was.
pub fn settle(
    before: &[Condition],
    verdicts: Vec<Verdict>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    verdicts
        .into_iter()
        .map(|verdict| {
            let status = verdict.status.as_str();
            let unchanged = find(before, verdict.type_).filter(|old| old.status == status);
            Condition {
                type_: verdict.type_.into(),
                status: status.into(),
                reason: verdict.reason,
                message: verdict.message,
                observed_generation: generation,
                last_transition_time: unchanged
                    .map_or(Time(whole_seconds(now)), |old| old.last_transition_time.clone()),
            }
        })
        .collect()
}

/// The condition of a type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// The API server keeps whole seconds: anything finer would differ at the next look.
pub fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_with_the_status_only() {
        let first = Timestamp::from_second(100).unwrap();
        let later = Timestamp::from_second(200).unwrap();
        let before = settle(&[], vec![Verdict::new("Ready", false, "A", "a")], Some(1), first);
        let same = settle(&before, vec![Verdict::new("Ready", false, "B", "b")], Some(2), later);
        assert_eq!((same[0].last_transition_time.0, same[0].observed_generation), (first, Some(2)));
        let turned = settle(&same, vec![Verdict::new("Ready", true, "C", "c")], Some(2), later);
        assert_eq!(turned[0].last_transition_time.0, later);
    }

    #[test]
    fn messages_are_bounded_on_a_character() {
        let long = "ä".repeat(5_000);
        assert_eq!(bounded(long).chars().count(), MAX_MESSAGE);
        assert_eq!(bounded("short".into()), "short");
    }
}
