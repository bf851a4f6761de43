//! Priority, examples and the shape of results.

use super::fleets::parse;
use crate::{
    compile::{Reason, Report, check_tool, tests::fleets::Fleet},
    v1alpha1::McpTool,
};
use mcpfleet_config::ToolPriority;

fn guided(more: &str) -> McpTool {
    parse(&format!(
        "kind: McpTool\nmetadata: {{name: find-order, namespace: agents, labels: {{fleet: shop}}}}\nspec:\n  \
         description: finds\n  inputSchema: {{type: object, required: [id], properties: {{id: {{type: integer}}}}}}\n  \
         backend: {{static: {{text: '{{\"state\": \"open\"}}'}}}}\n  {more}\n"
    ))
}

fn refusals(report: &Report) -> Vec<(&str, Reason)> {
    report.errors().map(|finding| (finding.field.as_str(), finding.reason)).collect()
}

#[test]
fn guidance_reaches_the_configuration_and_asks_for_format_3() {
    let more = "priority: High\n  examples: [{say: where is 17?, arguments: {id: 17}}]\n  \
                outputSchema: {type: object, properties: {state: {type: string}}}";
    let compiled = Fleet::shop().tool(guided(more)).compile().unwrap();
    assert_eq!(refusals(&compiled.report), []);
    let tool = &compiled.config.tools[0];
    assert_eq!((compiled.config.format, tool.priority, tool.examples.len()), (3, ToolPriority::High, 1));
    assert!(tool.output_schema.is_some());
}

#[test]
fn an_example_that_the_tool_would_refuse_is_refused() {
    let report =
        check_tool(&guided("examples: [{say: fine, arguments: {id: 1}}, {say: odd, arguments: {id: x}}]"));
    assert_eq!(refusals(&report), [("spec.examples[1].arguments", Reason::InvalidExample)]);
    assert!(report.findings[0].message.contains("/id"), "{}", report.findings[0]);
    let long = format!(
        "examples: [{{say: '{}', arguments: {{id: 1, note: '{}'}}}}]",
        "s".repeat(257),
        "n".repeat(4_096)
    );
    assert_eq!(
        refusals(&check_tool(&guided(&long))),
        [
            ("spec.examples[0].arguments", Reason::InvalidExample),
            ("spec.examples[0].say", Reason::InvalidExample)
        ]
    );
}

#[test]
fn a_result_that_can_never_fit_is_refused() {
    let report = check_tool(&guided("outputSchema: {type: object, required: [total]}"));
    assert_eq!(refusals(&report), [("spec.backend.static.text", Reason::InvalidContent)]);
    let report = check_tool(&guided("outputSchema: {type: array}"));
    assert_eq!(refusals(&report), [("spec.outputSchema", Reason::InvalidSchema)]);
    assert!(!report.findings[0].message.contains("arguments"), "{}", report.findings[0]);
}
