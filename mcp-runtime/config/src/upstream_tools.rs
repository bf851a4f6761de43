//! What makes filters, overrides and pins of an upstream's tools usable. `compile` and the runtime ask the same question.

use crate::{
    UpstreamTools, name_pattern,
    pin::{DefinitionHash, NoHash},
    tool_name,
};
use std::collections::BTreeMap;

/// Most patterns of `include`, and of `exclude`.
pub const MAX_PATTERNS: usize = 128;
/// Most overrides.
pub const MAX_OVERRIDES: usize = 128;
/// Most pins: as many tools as are taken of one upstream.
pub const MAX_PINS: usize = 10_000;
/// Longest display name, in characters.
pub const MAX_TITLE: usize = 256;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 8_192;

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolsFlaw {
    /// Path below the object.
    pub field: String,
    /// What is wrong there.
    pub fault: ToolsFault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolsFault {
    /// More than are taken.
    #[error("has {count} items; {most} is the most")]
    TooMany {
        /// How many.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// A pattern that means nothing.
    #[error("{0}")]
    Pattern(String),
    /// A name that no tool can have.
    #[error("{name:?} {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Two tools of one upstream would have one name.
    #[error("{name:?} is what the override of {other:?} renames to, too")]
    NameTaken {
        /// The name.
        name: String,
        /// Whose it is.
        other: String,
    },
    /// A text that is empty or too long.
    #[error("has {len} characters; 1 to {most} are allowed")]
    Text {
        /// Its length.
        len: usize,
        /// The most.
        most: usize,
    },
    /// What is no hash.
    #[error("{0}")]
    Pin(NoHash),
    /// A definition that is not the one whose hash stands beside it.
    #[error("is not the definition that its pin has the hash of")]
    Approved,
}

impl UpstreamTools {
    /// Whether the filters let a tool of this name through, by the upstream's own name.
    pub fn takes(&self, name: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| name_pattern::matches(pattern, name));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// Everything that is wrong, in the order of the fields.
    pub fn flaws(&self) -> Vec<ToolsFlaw> {
        let mut flaws = Vec::new();
        self.check_counts(&mut flaws);
        self.check_patterns(&mut flaws);
        self.check_overrides(&mut flaws);
        self.check_pins(&mut flaws);
        flaws
    }

    fn check_counts(&self, flaws: &mut Vec<ToolsFlaw>) {
        let pins = self.pins.as_ref().map_or(0, BTreeMap::len);
        for (field, count, most) in [
            ("include", self.include.len(), MAX_PATTERNS),
            ("exclude", self.exclude.len(), MAX_PATTERNS),
            ("overrides", self.overrides.len(), MAX_OVERRIDES),
            ("pins", pins, MAX_PINS),
            ("approved", self.approved.len(), MAX_PINS),
        ] {
            if count > most {
                flaws.push(flaw(field, ToolsFault::TooMany { count, most }));
            }
        }
    }

    fn check_patterns(&self, flaws: &mut Vec<ToolsFlaw>) {
        for (field, patterns) in [("include", &self.include), ("exclude", &self.exclude)] {
            for pattern in patterns {
                let refused = name_pattern::refusal(pattern);
                flaws
                    .extend(refused.map(|why| flaw(format!("{field}[{pattern}]"), ToolsFault::Pattern(why))));
            }
        }
    }

    fn check_overrides(&self, flaws: &mut Vec<ToolsFlaw>) {
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for (tool, wanted) in &self.overrides {
            let at = |field: &str| format!("overrides[{tool}].{field}");
            if tool.is_empty() {
                flaws.push(flaw(
                    at("name"),
                    ToolsFault::Name { name: tool.clone(), reason: "is empty".into() },
                ));
            }
            if let Some(name) = &wanted.rename {
                if let Some(reason) = tool_name::refusal(name) {
                    flaws.push(flaw(at("rename"), ToolsFault::Name { name: name.clone(), reason }));
                }
                if let Some(other) = names.insert(name, tool) {
                    let fault = ToolsFault::NameTaken { name: name.clone(), other: other.to_owned() };
                    flaws.push(flaw(at("rename"), fault));
                }
            }
            let texts =
                [("title", &wanted.title, MAX_TITLE), ("description", &wanted.description, MAX_DESCRIPTION)];
            for (field, text, most) in texts {
                let len = text.as_ref().map_or(1, |text| text.chars().count());
                if len == 0 || len > most {
                    flaws.push(flaw(at(field), ToolsFault::Text { len, most }));
                }
            }
        }
    }

    fn check_pins(&self, flaws: &mut Vec<ToolsFlaw>) {
        let pins = self.pins.iter().flatten();
        for (tool, hash) in pins {
            if let Err(why) = hash.parse::<DefinitionHash>() {
                flaws.push(flaw(format!("pins[{tool}].hash"), ToolsFault::Pin(why)));
            }
        }
        for (tool, definition) in &self.approved {
            let pin = self.pins.as_ref().and_then(|pins| pins.get(tool)?.parse::<DefinitionHash>().ok());
            if !pin.is_some_and(|pin| pin.fits(&DefinitionHash::of(definition))) {
                flaws.push(flaw(format!("approved[{tool}]"), ToolsFault::Approved));
            }
        }
    }
}

fn flaw(field: impl Into<String>, fault: ToolsFault) -> ToolsFlaw {
    ToolsFlaw { field: field.into(), fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToolOverride;
    use serde_json::Map;

    fn fields(tools: &UpstreamTools) -> Vec<String> {
        tools.flaws().into_iter().map(|flaw| flaw.field).collect()
    }

    #[test]
    fn exclude_goes_before_include() {
        let tools = UpstreamTools {
            include: vec!["search_*".into(), "get".into()],
            exclude: vec!["*_all".into()],
            ..UpstreamTools::default()
        };
        let taken: Vec<&str> =
            ["search_a", "search_all", "get", "put"].into_iter().filter(|name| tools.takes(name)).collect();
        assert_eq!(taken, ["search_a", "get"]);
        assert!(UpstreamTools::default().takes(""));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let renamed = |name: &str| ToolOverride { rename: Some(name.into()), ..ToolOverride::default() };
        let tools = UpstreamTools {
            include: vec!["a[b]".into()],
            exclude: vec![String::new()],
            overrides: [
                ("a".to_owned(), renamed("x")),
                ("b".to_owned(), renamed("x")),
                ("c".to_owned(), renamed("no name")),
                ("d".to_owned(), ToolOverride { title: Some(String::new()), ..ToolOverride::default() }),
            ]
            .into(),
            pins: Some([("a".to_owned(), "v9:x".to_owned())].into()),
            approved: [("z".to_owned(), Map::new())].into(),
            ..UpstreamTools::default()
        };
        assert_eq!(
            fields(&tools),
            [
                "include[a[b]]",
                "exclude[]",
                "overrides[b].rename",
                "overrides[c].rename",
                "overrides[d].title",
                "pins[a].hash",
                "approved[z]",
            ]
        );
        let many = UpstreamTools { include: vec!["a".into(); 129], ..UpstreamTools::default() };
        assert_eq!(fields(&many), ["include"]);
    }
}
