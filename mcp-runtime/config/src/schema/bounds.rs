//! What a schema may cost.
//!
//! Size and depth bound the document. Patterns are counted, because each compiles to an automaton. A reference
//! stands for all that it leads to, so references multiply: thirty levels of two make a billion visits. They are
//! followed with their cost remembered, and a schema that contains itself, whose cost depends on the arguments,
//! is refused altogether.

use super::SchemaError;
use serde_json::Value;
use std::collections::BTreeMap;

/// Largest schema as compact JSON, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Deepest nesting of objects and lists.
pub const MAX_DEPTH: usize = 32;

/// Most patterns in one schema.
const MAX_PATTERNS: usize = 64;

/// Most subschemas with every reference replaced by what it leads to.
const MAX_EXPANDED: u64 = 4_096;

/// Longest chain of references, each leading to the next: both this walk and validation recurse along it.
const MAX_CHAIN: usize = 32;

/// Keywords that refer to a schema by anything but its place in the document.
const OTHER_REFERENCES: [&str; 6] =
    ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor"];

/// Refuses a schema that could cost too much.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    if depth(schema) > MAX_DEPTH {
        return Err(refusal("", format!("is more than {MAX_DEPTH} levels deep")));
    }
    let bytes = serde_json::to_string(schema).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BYTES {
        return Err(refusal("", format!("has {bytes} bytes; {MAX_BYTES} are the most")));
    }
    let patterns = patterns(schema);
    if patterns > MAX_PATTERNS {
        return Err(refusal("", format!("has {patterns} patterns; {MAX_PATTERNS} are the most")));
    }
    let mut walk = Expansion { root: schema, known: BTreeMap::new(), chain: 0 };
    let expanded = walk.cost("", schema)?;
    if expanded > MAX_EXPANDED {
        return Err(refusal("", format!("stands for {expanded} subschemas; {MAX_EXPANDED} are the most")));
    }
    Ok(())
}

fn refusal(pointer: &str, reason: impl Into<String>) -> SchemaError {
    SchemaError { pointer: pointer.to_owned(), reason: reason.into() }
}

/// Level by level, because a value of unknown depth must not be walked by recursion.
fn depth(value: &Value) -> usize {
    let mut depth = 0;
    let mut level = vec![value];
    while !level.is_empty() && depth <= MAX_DEPTH {
        depth += 1;
        level = level.into_iter().flat_map(children).filter(|v| v.is_object() || v.is_array()).collect();
    }
    depth
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

fn patterns(value: &Value) -> usize {
    let own = value.as_object().map_or(0, |members| {
        let by_name =
            members.get("patternProperties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        by_name + usize::from(members.get("pattern").is_some_and(Value::is_string))
    });
    own + children(value).map(patterns).sum::<usize>()
}

/// Costs of what references lead to; `None` while it is being worked out.
struct Expansion<'a> {
    root: &'a Value,
    known: BTreeMap<&'a str, Option<u64>>,
    chain: usize,
}

impl<'a> Expansion<'a> {
    /// Subschemas below `value`, itself included. Data (`enum`, `default`, …) counts as well: it only makes the
    /// bound stricter.
    fn cost(&mut self, pointer: &str, value: &'a Value) -> Result<u64, SchemaError> {
        let mut total = 1_u64;
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let below = format!("{pointer}/{key}");
                    if OTHER_REFERENCES.contains(&key.as_str()) && member.is_string() {
                        return Err(refusal(
                            &below,
                            format!("{key} is not supported; use $ref with #/$defs/…"),
                        ));
                    }
                    let cost = match (key.as_str(), member) {
                        ("$ref", Value::String(target)) => self.reference(&below, target)?,
                        _ => self.cost(&below, member)?,
                    };
                    total = total.saturating_add(cost);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    total = total.saturating_add(self.cost(&format!("{pointer}/{index}"), item)?);
                }
            }
            _ => {}
        }
        Ok(total)
    }

    fn reference(&mut self, pointer: &str, target: &'a str) -> Result<u64, SchemaError> {
        match self.known.get(target) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                let reason = format!(
                    "a schema that contains itself ({target}) is not supported; write the levels out"
                );
                return Err(refusal(pointer, reason));
            }
            None => {}
        }
        let path = target.strip_prefix('#').filter(|path| path.is_empty() || path.starts_with('/'));
        let found = path.and_then(|path| self.root.pointer(path));
        let Some(schema) = found else {
            return Err(refusal(
                pointer,
                format!("{target:?} leads nowhere in this document; use #/$defs/…"),
            ));
        };
        if self.chain == MAX_CHAIN {
            return Err(refusal(
                pointer,
                format!("is the end of a chain of more than {MAX_CHAIN} references"),
            ));
        }
        self.known.insert(target, None);
        self.chain += 1;
        let cost = self.cost(target.trim_start_matches('#'), schema)?;
        self.chain -= 1;
        self.known.insert(target, Some(cost));
        Ok(cost)
    }
}
