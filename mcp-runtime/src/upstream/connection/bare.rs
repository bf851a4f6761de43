//! Objects less one member that belongs to one hop.

use mcpfleet_protocol::json::Members;
use serde_json::value::RawValue;

/// `whole` without `name`; `members` are its members. Everything else stays as it came.
pub(super) fn without(whole: &RawValue, members: &Members<'_>, name: &str) -> Box<RawValue> {
    let mut text = String::with_capacity(whole.get().len());
    for (key, value) in members.iter().filter(|(key, _)| *key != name) {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::Value::from(key).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push_str(if text.is_empty() { "{}" } else { "}" });
    // What is made of valid members is valid.
    RawValue::from_string(text).unwrap_or_else(|_| whole.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_that_member_of_that_object_goes() {
        for (whole, bare) in [
            (r#"{"a":1,"b":{"a":2}}"#, r#"{"b":{"a":2}}"#),
            (r#"{"a":1}"#, "{}"),
            ("{}", "{}"),
            (r#"{ "x\"" : 1.50 , "a" : null }"#, r#"{"x\"":1.50}"#),
        ] {
            let whole = RawValue::from_string(whole.to_owned()).unwrap();
            assert_eq!(without(&whole, &Members::read(&whole).unwrap(), "a").get(), bare);
        }
    }
}
