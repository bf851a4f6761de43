//! From text to terms: what is compared when a search goes by words. Pure.
//!
//! Names are split where people see a gap (`create_issue`, `createIssue`, `HTTPServer2`), words without meaning are left
//! out, and endings are cut so that "deleted", "deletes" and "delete" are one. The stemmer is light on purpose: it has to
//! cut a query and a description in the same way, and nothing else.

/// Longest term, in bytes; what follows is cut off. No word of any use is longer.
const MAX_TERM: usize = 48;
/// Shortest rest that cutting an ending may leave, in bytes.
const MIN_STEM: usize = 3;

/// Words that stand in every sentence, and words that stand in every request for a tool.
const STOP: [&str; 58] = [
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could",
    "did", "do", "does", "each", "every", "for", "from", "had", "has", "have", "how", "i", "if", "in",
    "into", "is", "it", "its", "me", "my", "need", "of", "on", "or", "our", "please", "should", "some",
    "that", "the", "their", "them", "these", "this", "to", "tool", "tools", "was", "we", "which", "with",
    "you", "your",
];

/// The terms of a text in their order, at most `most`.
pub(super) fn terms(text: &str, most: usize) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let lower = words.flat_map(pieces).map(str::to_lowercase);
    lower
        .filter(|word| STOP.binary_search(&word.as_str()).is_err())
        .map(|word| stem(cut(&word)))
        .take(most)
        .collect()
}

/// The pieces of a name in camel case; any other word is one.
fn pieces(word: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for window in chars.windows(2).enumerate() {
        let (at, [(_, before), (gap, after)]) = window else { continue };
        let next = chars.get(at + 2).map(|(_, c)| *c);
        let humps = before.is_lowercase() && after.is_uppercase();
        // `HTTPServer`, but not the plural of `PRs`.
        let acronym = before.is_uppercase() && after.is_uppercase() && next.is_some_and(char::is_lowercase);
        let plural = next == Some('s') && at + 3 == chars.len();
        if humps || (acronym && !plural) {
            pieces.extend(word.get(start..*gap));
            start = *gap;
        }
    }
    pieces.extend(word.get(start..));
    pieces
}

fn cut(word: &str) -> &str {
    let end = word.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_TERM).last();
    word.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Cuts English endings. Other languages lose an ending now and then, in query and text alike.
fn stem(word: &str) -> String {
    let word = singular(word);
    let rest = ["ing", "ment", "ed", "ion", "ive", "or", "er", "e"].into_iter().find_map(|ending| {
        let rest = word.strip_suffix(ending).filter(|rest| rest.len() >= MIN_STEM && has_vowel(rest))?;
        let fits = match ending {
            // "region", "million": no ending there.
            "ion" | "ive" | "or" => rest.ends_with(['t', 's']) && rest.len() > MIN_STEM,
            "ment" => rest.len() > MIN_STEM,
            // "user", "order" and "number" are what they are.
            "er" => rest.len() > 4,
            _ => true,
        };
        fits.then_some((rest, ending))
    });
    let Some((rest, ending)) = rest else { return with_i(&word) };
    let rest = if matches!(ending, "ing" | "ed") { single(rest) } else { rest };
    with_i(rest.strip_suffix('e').filter(|short| short.len() >= MIN_STEM).unwrap_or(rest))
}

/// "queries" and "query" end alike.
fn with_i(word: &str) -> String {
    match word.strip_suffix('y').filter(|rest| rest.len() >= 2) {
        Some(rest) => format!("{rest}i"),
        None => word.to_owned(),
    }
}

fn singular(word: &str) -> String {
    // Short as "PRs" and "ids" are.
    if word.len() < MIN_STEM || !word.ends_with('s') {
        return word.to_owned();
    }
    for (plural, one) in [("sses", "ss"), ("ies", "y"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")] {
        if let Some(rest) = word.strip_suffix(plural) {
            return format!("{rest}{one}");
        }
    }
    match word.strip_suffix('s') {
        // "status", "access", "analysis"
        Some(rest) if !rest.ends_with(['s', 'u', 'i']) => rest.to_owned(),
        _ => word.to_owned(),
    }
}

/// "running" is "run", while "calling" is "call".
fn single(rest: &str) -> &str {
    let mut ends = rest.chars().rev();
    match (ends.next(), ends.next()) {
        (Some(last), Some(before))
            if last == before && !matches!(last, 'l' | 's' | 'z') && last.is_ascii() =>
        {
            rest.get(..rest.len() - 1).unwrap_or(rest)
        }
        _ => rest,
    }
}

fn has_vowel(word: &str) -> bool {
    word.contains(['a', 'e', 'i', 'o', 'u', 'y']) || !word.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_people_see_a_gap() {
        for (name, pieces) in [
            ("create_issue", "creat issu"),
            ("createIssue", "creat issu"),
            ("github.create-issue", "github creat issu"),
            ("HTTPServer2", "http server2"),
            ("listPRs", "list pr"),
            ("API", "api"),
            ("__", ""),
        ] {
            assert_eq!(terms(name, 100).join(" "), pieces, "{name}");
        }
    }

    #[test]
    fn forms_of_one_word_are_one_term() {
        for forms in [
            "create creates created creating creator",
            "query queries querying",
            "delete deleted deleting deletion",
            "run running runs",
            "call calls calling called",
            "notify notifies",
            "issue issues",
            "deploy deployment deployments deployed deploying",
            "branch branches",
            "translate translation translations",
            "index indexes indexing",
        ] {
            let mut terms = terms(forms, 100);
            terms.dedup();
            assert_eq!(terms.len(), 1, "{terms:?}");
        }
        for apart in ["user use", "status state", "access ace", "order ordinal", "region reg", "note notice"]
        {
            assert_eq!(terms(apart, 2).iter().collect::<std::collections::BTreeSet<_>>().len(), 2, "{apart}");
        }
    }

    #[test]
    fn stop_words_are_sorted_so_that_they_are_found() {
        assert!(STOP.is_sorted());
        assert_eq!(terms("Which tool should I use to do that?", 10), ["use".to_owned()].map(|it| stem(&it)));
    }
}
