//! When is the runtime ready? Pure: facts in, verdict out.
//!
//! Ready only after a handshake through the listener, with its present certificate. From then on, requests of others
//! that were answered since the last probe are proof enough; without any, another handshake is. One that fails once
//! may be bad luck; twice in a row it is not.

/// Failed handshakes in a row that make a proven listener `NotReady`.
const FAILURES: u32 = 2;

/// What the listener is: another value is another listener or certificate, whose proof begins anew.
pub type Generation = u64;

/// Whether calls should be sent here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They should.
    Ready,
    /// They should not, and why.
    NotReady(String),
}

/// What a probe must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: this is the verdict.
    Nothing(Verdict),
    /// Try a handshake, and [`Track::settle`].
    Handshake(Generation),
}

/// What is known from earlier probes.
#[derive(Debug, Default)]
pub struct Track {
    proven: Option<Generation>,
    failures: u32,
    seen: u64,
}

impl Track {
    /// A probe begins. `listener` is what there is to prove, or why there is nothing; `answered` counts the requests of
    /// others.
    pub fn ask(&mut self, listener: Result<Generation, String>, answered: u64) -> Need {
        let generation = match listener {
            Ok(generation) => generation,
            Err(reason) => return Need::Nothing(Verdict::NotReady(reason)),
        };
        let busy = answered > self.seen;
        self.seen = answered;
        if busy && self.proven == Some(generation) {
            self.failures = 0;
            return Need::Nothing(Verdict::Ready);
        }
        Need::Handshake(generation)
    }

    /// The handshake is over.
    pub fn settle(&mut self, generation: Generation, result: Result<(), String>) -> Verdict {
        match result {
            Ok(()) => {
                self.proven = Some(generation);
                self.failures = 0;
                Verdict::Ready
            }
            Err(reason) => {
                self.failures = self.failures.saturating_add(1);
                if self.proven == Some(generation) && self.failures < FAILURES {
                    Verdict::Ready
                } else {
                    Verdict::NotReady(reason)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Result<(), String> {
        Err("deaf".into())
    }

    #[test]
    fn nothing_is_ready_before_a_handshake() {
        let mut track = Track::default();
        assert!(matches!(track.ask(Err("no config".into()), 5), Need::Nothing(Verdict::NotReady(_))));
        assert_eq!(track.ask(Ok(1), 9), Need::Handshake(1));
        assert!(matches!(track.settle(1, failed()), Verdict::NotReady(_)));
        assert_eq!(track.ask(Ok(1), 10), Need::Handshake(1));
        assert_eq!(track.settle(1, Ok(())), Verdict::Ready);
    }

    #[test]
    fn answered_requests_are_proof_enough_and_silence_is_not() {
        let mut track = Track::default();
        track.settle(1, Ok(()));
        assert_eq!(track.ask(Ok(1), 1), Need::Nothing(Verdict::Ready));
        assert_eq!(track.ask(Ok(1), 1), Need::Handshake(1));
    }

    #[test]
    fn the_second_failure_in_a_row_counts() {
        let mut track = Track::default();
        track.settle(1, Ok(()));
        assert_eq!(track.settle(1, failed()), Verdict::Ready);
        assert_eq!(track.settle(1, Ok(())), Verdict::Ready);
        assert_eq!(track.settle(1, failed()), Verdict::Ready);
        assert!(matches!(track.settle(1, failed()), Verdict::NotReady(_)));
        assert_eq!(track.settle(1, Ok(())), Verdict::Ready);
    }

    #[test]
    fn a_new_certificate_must_prove_itself_even_under_load() {
        let mut track = Track::default();
        track.settle(1, Ok(()));
        assert_eq!(track.ask(Ok(2), 100), Need::Handshake(2));
        assert!(matches!(track.settle(2, failed()), Verdict::NotReady(_)));
    }
}
