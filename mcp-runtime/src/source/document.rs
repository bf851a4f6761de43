//! One YAML document: what it declares, or what is wrong with it and in which line.

use super::problem::Problem;
use mcpfleet_crds::{
    foreign::{Optional, ReferenceGrant, Service},
    v1alpha1::{GROUP, McpServer, McpTool, ProviderRoute},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// What a document declares.
#[derive(Clone, Debug)]
pub enum Object {
    /// A server.
    Server(Box<McpServer>),
    /// A tool.
    Tool(Box<McpTool>),
    /// A route.
    Route(Box<ProviderRoute>),
    /// A Secret of Kubernetes.
    Secret(SecretManifest),
    /// What a namespace lets others refer to.
    Grant(ReferenceGrant),
    /// A Service of Kubernetes.
    Service(Box<Service>),
    /// Something that is not ours, such as a Deployment.
    Foreign,
}

/// The part of a `v1` Secret that matters here.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretManifest {
    /// Its name and namespace.
    pub metadata: SecretMetadata,
    /// Base64.
    #[serde(default)]
    pub data: BTreeMap<String, String>,
    /// Plain text; wins over `data`.
    #[serde(default)]
    pub string_data: BTreeMap<String, String>,
}

/// Name and namespace.
#[derive(Clone, Debug, Deserialize)]
pub struct SecretMetadata {
    /// Name.
    pub name: String,
    /// Namespace; `default` when absent.
    pub namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
struct HeadMetadata {
    name: Option<String>,
    namespace: Option<String>,
}

/// Cuts a file into documents, each with the number of lines before it. `---` at the start of a line ends a document
/// wherever it stands (YAML 1.2, section 9.1.2), so that no parser is needed and a broken document spoils no other.
pub fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(0, String::new())];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let ends = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if ends {
            documents.push((number, String::new()));
        }
        if let Some((_, document)) = documents.last_mut() {
            document.push_str(line);
        }
    }
    documents.retain(|(_, document)| !is_blank(document));
    documents
}

fn is_blank(document: &str) -> bool {
    document.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---" || line == "..."
    })
}

/// Reads one document that has `before` lines in front of it.
///
/// # Errors
/// With line and field.
pub fn read(before: usize, document: &str) -> Result<Object, Box<Problem>> {
    // Lines before it become empty ones, so that the parser counts as an editor does.
    let text = format!("{}{document}", "\n".repeat(before));
    let head: Head =
        parse(&text).map_err(|problem| Box::new(Problem { reason: "Unparsable", ..*problem }))?;
    let (version, kind) =
        (head.api_version.as_deref().unwrap_or_default(), head.kind.as_deref().unwrap_or_default());
    let name = head.metadata.name.as_deref().unwrap_or_default();
    let object = format!("{kind} {}/{name}", head.metadata.namespace.as_deref().unwrap_or("default"));
    let refuse = |reason, message: String, remedy| Err(Box::new(Problem::error(reason, message, remedy)));
    let typed = match (version.split_once('/').unwrap_or(("", version)), kind) {
        ((GROUP, "v1alpha1"), "McpServer") => parse(&text).map(|server| Object::Server(Box::new(server))),
        ((GROUP, "v1alpha1"), "McpTool") => parse(&text).map(|tool| Object::Tool(Box::new(tool))),
        ((GROUP, "v1alpha1"), "ProviderRoute") => parse(&text).map(|route| Object::Route(Box::new(route))),
        ((GROUP, "v1alpha1"), _) => {
            let remedy = "use McpServer, McpTool or ProviderRoute";
            refuse("UnknownKind", format!("there is no kind {kind:?} in {GROUP}"), remedy)
        }
        ((GROUP, other), _) => {
            refuse("UnknownVersion", format!("version {other:?} is not served"), "use mcpfleet.dev/v1alpha1")
        }
        (("", "v1"), "Secret") => parse(&text).map(Object::Secret).map_err(without_value),
        (("", "v1"), "Service") => Ok(foreign(&text, |it| Object::Service(Box::new(Service::read(it))))),
        ((group, _), "ReferenceGrant") if group == Optional::ReferenceGrant.group() => {
            Ok(foreign(&text, |it| Object::Grant(ReferenceGrant::read(it))))
        }
        (("", "v1"), "List") => {
            refuse("Unparsable", "a List is not read".into(), "write its items as documents of their own")
        }
        (("", ""), _) | (_, "") => {
            refuse("Unparsable", "apiVersion or kind is missing".into(), "say which kind this is")
        }
        _ => Ok(Object::Foreign),
    };
    typed.map_err(|problem| if name.is_empty() { problem } else { Box::new(problem.about(object)) })
}

/// What is not ours is not ours to criticise: one that cannot be read counts as absent.
fn foreign<T: DeserializeOwned>(text: &str, read: fn(&T) -> Object) -> Object {
    parse(text).map_or(Object::Foreign, |object| read(&object))
}

/// A parser's message repeats what it found, and that may be a secret.
fn without_value(mut problem: Box<Problem>) -> Box<Problem> {
    "has a value of the wrong type: values are strings".clone_into(&mut problem.message);
    problem
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Box<Problem>> {
    let mut field = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = error.path().to_string();
            error.into_inner()
        })
    });
    parsed.map_err(|error| {
        let message = first_line(&error.without_snippet().to_string());
        let (reason, remedy) = if message.contains("unknown field") {
            ("UnknownField", "remove the field, or correct its name")
        } else if field.is_empty() || field == "." {
            ("Unparsable", "mend the document")
        } else {
            ("InvalidField", "correct the field")
        };
        let problem = Problem::error(reason, message, remedy);
        let problem = if field.is_empty() || field == "." { problem } else { problem.field(field) };
        Box::new(Problem { line: error.location().map(|location| location.line()), ..problem })
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_their_lines() {
        let text = "# head\n---\nkind: A\n--- # second\nkind: B\nnote: |\n  --- inside\n---\n";
        let cut: Vec<usize> = split(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(cut, [1, 3]);
    }

    #[test]
    fn an_unknown_field_is_told_with_line_and_path() {
        let text = "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {name: a}\nspec:\n  description: x\n  backend:\n    statik: {text: x}\n";
        let problem = read(10, text).unwrap_err();
        assert_eq!(problem.reason, "UnknownField");
        assert_eq!(problem.line, Some(17), "{problem}");
        assert_eq!(problem.object.as_deref(), Some("McpTool default/a"));
        assert!(problem.field.as_deref().is_some_and(|field| field.starts_with("spec.backend")), "{problem}");
        assert!(problem.message.contains("statik"), "{problem}");
    }

    #[test]
    fn broken_yaml_is_told_with_its_line() {
        let problem = read(0, "apiVersion: v1\nkind: [\n").unwrap_err();
        assert_eq!(problem.reason, "Unparsable", "{problem}");
        assert!(problem.line.is_some(), "{problem}");
    }

    #[test]
    fn what_is_not_ours_is_passed_over() {
        assert!(matches!(
            read(0, "apiVersion: apps/v1\nkind: Deployment\nspec: {a: 1}\n"),
            Ok(Object::Foreign)
        ));
        assert!(matches!(read(0, "apiVersion: v1\nkind: Service\nspec: 7\n"), Ok(Object::Foreign)));
        assert!(read(0, "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTol\n").is_err());
        assert!(read(0, "apiVersion: mcpfleet.dev/v9\nkind: McpTool\n").is_err());
    }
}
