//! Words that mean the same to whoever looks for a tool: people say "remove" where an author wrote "delete". Pure.

use super::words::terms;
use std::{collections::BTreeMap, sync::LazyLock};

/// Each line is one meaning. General words only: what a product calls its things is for its descriptions to say.
const GROUPS: [&str; 26] = [
    "create add new make open insert",
    "delete remove drop erase destroy",
    "update edit change modify set",
    "list show enumerate",
    "get fetch read retrieve show view",
    "search find query lookup",
    "send post submit publish",
    "run execute start launch invoke trigger",
    "stop cancel abort terminate kill halt",
    "message mail email",
    "directory folder",
    "repository repo",
    "database db",
    "picture image photo",
    "weather forecast",
    "meeting event appointment",
    "customer client account",
    "invoice bill",
    "error exception failure",
    "document file",
    "people user person member",
    "ticket issue bug",
    "website page url web",
    "log logs trace",
    "undo revert rollback restore",
    "price cost quote",
];

/// The other terms of a term's meanings; none for most.
pub(super) fn kin(term: &str) -> &'static [String] {
    static KIN: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
        let mut kin = BTreeMap::<String, Vec<String>>::new();
        for group in GROUPS {
            let group = terms(group, usize::MAX);
            for term in &group {
                let others = group.iter().filter(|other| *other != term).cloned();
                kin.entry(term.clone()).or_default().extend(others);
            }
        }
        kin
    });
    KIN.get(term).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_go_both_ways() {
        assert!(kin("delet").contains(&"remov".to_owned()) && kin("remov").contains(&"delet".to_owned()));
        assert!(kin("show").len() > 3, "it stands in two");
        assert!(kin("zebra").is_empty());
    }
}
