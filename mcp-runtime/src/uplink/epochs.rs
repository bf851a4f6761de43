//! Which leader is believed. Pure.

use mcpfleet_config::stream::Epoch;

/// The greatest epoch that this process has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epochs {
    greatest: Option<Epoch>,
}

/// A leader that leads no more, and may not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it says that it leads in term {}, and term {} has begun", .said.term, .seen.term)]
pub struct Deposed {
    said: Epoch,
    seen: Epoch,
}

impl Epochs {
    /// A leader says its epoch.
    ///
    /// # Errors
    /// When a later one has led.
    pub fn admit(&mut self, said: Epoch) -> Result<(), Deposed> {
        match self.greatest {
            Some(seen) if seen > said => Err(Deposed { said, seen }),
            _ => {
                self.greatest = Some(said);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deposed_leader_is_refused_and_a_new_lease_begins_to_count_anew() {
        let mut epochs = Epochs::default();
        let epoch = |lease, term| Epoch { lease, term };
        assert_eq!(epochs.admit(epoch(10, 2)), Ok(()));
        assert_eq!(epochs.admit(epoch(10, 2)), Ok(()));
        assert!(epochs.admit(epoch(10, 1)).is_err());
        assert_eq!(epochs.admit(epoch(11, 0)), Ok(()));
        assert!(epochs.admit(epoch(10, 3)).is_err());
    }
}
