//! Which names a tool may have.
//!
//! MCP 2025-11-25, server/tools, "Tool Names": 1 to 128 characters of `A-Z a-z 0-9 _ - .`; names are
//! case-sensitive and unique within a server.

/// Longest name, in characters.
pub const MAX_LEN: usize = 128;

/// Why `name` is refused, or `None` when it may be used.
pub fn refusal(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("is empty".into());
    }
    if name.len() > MAX_LEN {
        return Some(format!("has {} characters; {MAX_LEN} is the most", name.len()));
    }
    let foreign = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    Some(format!("contains {foreign:?}; letters, digits, '_', '-' and '.' are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_name_is_allowed() {
        assert_eq!(refusal("search_orders.v2-beta"), None);
        assert_eq!(refusal(&"x".repeat(MAX_LEN)), None);
    }

    #[test]
    fn a_refusal_names_the_culprit() {
        assert!(refusal("").is_some_and(|r| r.contains("empty")));
        assert!(refusal("näme").is_some_and(|r| r.contains('ä')));
        assert!(refusal(&"x".repeat(129)).is_some_and(|r| r.contains("129")));
    }
}
