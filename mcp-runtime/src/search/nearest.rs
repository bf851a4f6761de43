//! Names that look like what was asked for, for when nothing was found. Pure.

use std::collections::BTreeSet;

/// Most names.
const MOST: usize = 5;
/// Longest part of a text that is compared, in characters.
const COMPARED: usize = 128;

/// The names that share most with `text`, the best first; some even when none is like it, so that there is a way on.
pub(super) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = trigrams(text);
    let mut all: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| {
            let of_name = trigrams(name);
            let shared = wanted.intersection(&of_name).count();
            // Dice's coefficient in thousandths.
            (2_000 * shared / (wanted.len() + of_name.len()).max(1), name)
        })
        .collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    all.into_iter().take(MOST).map(|(_, name)| name).collect()
}

fn trigrams(text: &str) -> BTreeSet<[char; 3]> {
    let plain =
        text.chars().take(COMPARED).map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    let padded: Vec<char> = [' ', ' '].into_iter().chain(plain).chain([' ']).collect();
    padded.windows(3).filter_map(|window| <[char; 3]>::try_from(window).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_names_come_first_and_there_are_always_some() {
        let names = ["create_issue", "list_issues", "send_mail"];
        assert_eq!(nearest("issue_create", names)[0], "create_issue");
        assert_eq!(nearest("sendMail", names)[0], "send_mail");
        assert_eq!(nearest("", names).len(), 3);
        assert_eq!(nearest("x", []), Vec::<&str>::new());
    }
}
