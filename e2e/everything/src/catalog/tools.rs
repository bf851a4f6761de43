//! The tools: name, description, schema of the arguments. The first must be callable with no arguments: the suite's
//! `http-header-validation` does so.

use super::schemas::{
    COUNT, DIALECT_2020_12, FILENAME, KEY, MESSAGE, MILLISECONDS, NAME, NONE, PROMPT, REGION, SECONDS, URI,
};

pub(super) const TOOLS: &[(&str, &str, &str)] = &[
    ("test_simple_text", "Returns text", NONE),
    ("test_image_content", "Returns an image", NONE),
    ("test_audio_content", "Returns audio", NONE),
    ("test_embedded_resource", "Returns an embedded resource", NONE),
    ("test_multiple_content_types", "Returns text, an image and a resource", NONE),
    ("test_tool_with_logging", "Logs three messages", NONE),
    ("test_error_handling", "Always fails", NONE),
    ("test_tool_with_progress", "Reports progress three times", NONE),
    ("test_sampling", "Asks the client's model", PROMPT),
    ("test_elicitation", "Asks the user", MESSAGE),
    ("test_elicitation_sep1034_defaults", "Asks the user, with defaults", NONE),
    ("test_elicitation_sep1330_enums", "Asks the user to choose, in five ways", NONE),
    ("json_schema_2020_12_tool", "Has a schema with keywords of 2020-12", DIALECT_2020_12),
    ("test_reconnection", "Answers after a while", NONE),
    ("test_missing_capability", "Needs sampling", NONE),
    ("test_streaming_elicitation", "Reports progress and asks the user", NONE),
    ("test_logging_tool", "Logs a message", NONE),
    ("test_trigger_tool_change", "Adds or removes a tool", NONE),
    ("test_trigger_prompt_change", "Adds or removes a prompt", NONE),
    ("test_input_required_result_elicitation", "Asks the user for a name", NONE),
    ("test_input_required_result_sampling", "Asks the client's model for a capital", NONE),
    ("test_input_required_result_list_roots", "Asks for the client's roots", NONE),
    ("test_input_required_result_request_state", "Asks, and keeps its state with the client", NONE),
    ("test_input_required_result_multiple_inputs", "Asks three things at once", NONE),
    ("test_input_required_result_multi_round", "Asks one thing after the other", NONE),
    ("test_input_required_result_tampered_state", "Asks, and wants its state back unchanged", NONE),
    ("test_input_required_result_capabilities", "Asks only what the client can answer", NONE),
    ("test_custom_header", "Has a parameter that is repeated in a header", REGION),
    ("greet", "Says hello", NAME),
    ("slow_compute", "Works for so many seconds", SECONDS),
    ("failing_job", "Works for a second, then fails", NONE),
    ("protocol_error_job", "Works, then ends with an error of the protocol", NONE),
    ("confirm_delete", "Asks the user to confirm, while it works", FILENAME),
    ("multi_input", "Asks the user two things at once, while it works", NONE),
    ("test_tool_with_task", "Asks the user for a name, then works", NONE),
    ("ledger_echo", "Counts uses of a key; returns the count", KEY),
    ("count_in_session", "Counts its calls in one session; returns the count", NONE),
    ("slow", "Works for so many milliseconds, unless cancelled", MILLISECONDS),
    ("ask_twice", "Asks the user for a first and then for a second name", NONE),
    ("stream", "Reports progress n times, then ends", COUNT),
    ("add_tool", "Adds a tool of this name", NAME),
    ("remove_tool", "Removes a tool that was added", NAME),
    ("touch_resource", "Says that a resource changed; test://watched-resource by default", URI),
    ("structured", "Returns a structured object", NONE),
    ("structured_list", "Returns a structured list, which only 2026-07-28 allows", NONE),
    ("resource_link", "Returns a link to a resource", NONE),
];

/// How a tool lends itself to tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    Optional,
    Required,
}

impl TaskSupport {
    /// The value of `execution.taskSupport` (2025-11-25, `server/tools`).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// Whether the tool of this name may become a task.
pub(crate) fn task_support(name: &str) -> Option<TaskSupport> {
    match name {
        "slow_compute" | "protocol_error_job" | "confirm_delete" | "multi_input" => {
            Some(TaskSupport::Optional)
        }
        "failing_job" | "test_tool_with_task" => Some(TaskSupport::Required),
        _ => None,
    }
}
