//! JSON Schemas of the tools' arguments.

pub(super) const NONE: &str = r#"{"type":"object","properties":{}}"#;

pub(super) const PROMPT: &str =
    r#"{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"]}"#;

pub(super) const MESSAGE: &str =
    r#"{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}"#;

pub(super) const NAME: &str =
    r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#;

pub(super) const KEY: &str = r#"{"type":"object","properties":{"key":{"type":"string"}},"required":["key"]}"#;

pub(super) const MILLISECONDS: &str =
    r#"{"type":"object","properties":{"ms":{"type":"integer","minimum":0}},"required":["ms"]}"#;

pub(super) const COUNT: &str =
    r#"{"type":"object","properties":{"n":{"type":"integer","minimum":0,"maximum":10000}},"required":["n"]}"#;

pub(super) const URI: &str = r#"{"type":"object","properties":{"uri":{"type":"string"}}}"#;

pub(super) const SECONDS: &str =
    r#"{"type":"object","properties":{"seconds":{"type":"integer","minimum":0},"label":{"type":"string"}}}"#;

pub(super) const FILENAME: &str = r#"{"type":"object","properties":{"filename":{"type":"string"}}}"#;

/// A parameter that a modern client repeats as `Mcp-Param-Region` (2026-07-28, `basic/transports/streamable-http`).
pub(super) const REGION: &str = r#"{"type":"object","properties":{
  "region":{"type":"string","description":"Where to run","x-mcp-header":"Region"},
  "query":{"type":"string"}},"required":["region"]}"#;

/// The keywords that the suite's scenario `json-schema-2020-12` wants to see unchanged.
pub(super) const DIALECT_2020_12: &str = r##"{
  "$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
  "$defs":{"address":{"$anchor":"addressDef","type":"object",
    "properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
  "properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},
    "contactMethod":{"type":"string","enum":["phone","email"]},
    "phone":{"type":"string"},"email":{"type":"string"}},
  "allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
  "if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
  "then":{"required":["phone"]},"else":{"required":["email"]},
  "additionalProperties":false}"##;
