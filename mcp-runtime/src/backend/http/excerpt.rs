//! The part of a foreign text that is shown.

/// Longest excerpt, in bytes.
pub(super) const MAX_EXCERPT: usize = 2048;

/// The beginning of `bytes` as text, cut between characters; `None` when it is no text.
pub(super) fn of(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Unfinished at the end is where it was cut; anything else is no text.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = text.trim();
    if text.contains('\0') {
        return None;
    }
    if text.len() <= MAX_EXCERPT {
        return Some(text.to_owned());
    }
    let end = (0..=MAX_EXCERPT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).map(|start| format!("{start}…"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_text_has_no_excerpt() {
        assert_eq!(of(b"\xff\xfe"), None);
        assert_eq!(of(b"a\0b"), None);
        assert_eq!(of(b" plain\n"), Some("plain".into()));
    }

    proptest! {
        #[test]
        fn a_cut_never_splits_a_character(text in "\\PC{0,900}", cut in 0usize..4000) {
            let bytes = &text.as_bytes()[..cut.min(text.len())];
            let excerpt = of(bytes).unwrap();
            prop_assert!(excerpt.len() <= MAX_EXCERPT + '…'.len_utf8());
            let start = text.trim_start();
            let cut_short = excerpt.strip_suffix('…').is_some_and(|shown| start.starts_with(shown));
            prop_assert!(start.starts_with(&excerpt) || cut_short);
        }
    }
}
