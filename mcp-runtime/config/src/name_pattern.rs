//! Which names a pattern means: `*` stands for any characters, none among them, `?` for any one; everything else for
//! itself. Case matters, as in the names of tools.

/// Longest pattern, in characters.
pub const MAX_LEN: usize = 128;

/// What other kinds of pattern would read as something else than itself.
const FOREIGN: [char; 8] = ['[', ']', '{', '}', '\\', ',', '!', '|'];

/// Why `pattern` is refused, or `None` when it may be used.
pub fn refusal(pattern: &str) -> Option<String> {
    if pattern.is_empty() {
        return Some("is empty".into());
    }
    let len = pattern.chars().count();
    if len > MAX_LEN {
        return Some(format!("has {len} characters; {MAX_LEN} is the most"));
    }
    let odd = pattern.chars().find(|c| FOREIGN.contains(c) || c.is_whitespace() || c.is_control())?;
    Some(format!("contains {odd:?}; only '*' and '?' stand for something else than themselves"))
}

/// Whether `name` is one of those that `pattern` means. Takes time in proportion to the product of the lengths at most.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last star, and how much of the name stood before what it stands for ended.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(read) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                read += 1;
            }
            // The last star takes one more: of earlier ones nothing is to be had, for it can take all that they could.
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (at, read) = (after + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, fits) in [
            ("search", "search", true),
            ("search", "Search", false),
            ("search_*", "search_", true),
            ("search_*", "search", false),
            ("*_write*", "db_write_all", true),
            ("*a*b*c", "xxaxxbxxbc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("?", "ä", true),
            ("a?", "a", false),
            ("*", "", true),
            ("**?", "", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_long_pattern_of_stars_ends() {
        assert!(!matches(&"*a".repeat(64), &"a".repeat(2048).replace("aaaaaaaa", "aaaaaaab")));
    }

    #[test]
    fn what_other_patterns_know_is_refused() {
        for pattern in ["", "a[bc]", "{a,b}", "!a", "a b", "a\n", "a|b", &"x".repeat(129)] {
            assert!(refusal(pattern).is_some(), "{pattern:?}");
        }
        for pattern in ["*", "find-?_x.y", "ns:tool", "a/b", "ä*"] {
            assert_eq!(refusal(pattern), None, "{pattern}");
        }
    }
}
