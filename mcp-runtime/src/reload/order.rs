//! Which configuration is the newer one. Pure.
//!
//! What the operator sends counts always, so it does not come by here. A mounted file may be a minute behind it, and
//! what was kept may be older than a file that was written while the process was down: their revisions tell.

/// Where a configuration that could be served comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// What the operator sent last, kept over a restart.
    Kept,
    /// The mounted file.
    File,
}

impl Origin {
    /// For logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::File => "file",
        }
    }
}

/// In which order they are tried at start, by their revisions; `None` stands for one that cannot be read.
pub fn at_start(kept: Option<u64>, file: Option<u64>) -> impl Iterator<Item = Origin> {
    let order = match (kept, file) {
        (Some(kept), Some(file)) if kept >= file => [Some(Origin::Kept), Some(Origin::File)],
        (kept, file) => [file.map(|_| Origin::File), kept.map(|_| Origin::Kept)],
    };
    order.into_iter().flatten()
}

/// Whether a file that changed is news to a process that serves revision `served`.
pub fn file_counts(served: Option<u64>, file: u64) -> bool {
    served.is_none_or(|served| file > served)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_can_be_read_is_tried_newest_first(kept: Option<u8>, file: Option<u8>) {
            let (kept, file) = (kept.map(u64::from), file.map(u64::from));
            let order: Vec<Origin> = at_start(kept, file).collect();
            let of = |origin: &Origin| if *origin == Origin::Kept { kept } else { file };
            prop_assert_eq!(order.len(), kept.iter().chain(&file).count());
            prop_assert!(order.iter().map(of).is_sorted_by(|first, then| first >= then));
            prop_assert!(order.iter().all(|origin| of(origin).is_some()));
        }
    }

    #[test]
    fn of_equals_the_one_that_was_served_goes_first() {
        assert_eq!(at_start(Some(3), Some(3)).next(), Some(Origin::Kept));
        assert_eq!(at_start(Some(3), Some(4)).next(), Some(Origin::File));
    }

    #[test]
    fn a_file_counts_when_it_is_newer_or_there_is_nothing() {
        assert!(file_counts(None, 0));
        assert!(file_counts(Some(1), 2));
        assert!(!file_counts(Some(2), 2));
        assert!(!file_counts(Some(2), 1));
    }
}
