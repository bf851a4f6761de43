//! What compile has to say about each object and field.

use crate::v1alpha1::{McpServer, McpTool, ProviderRoute};
use kube::ResourceExt;
use std::{collections::BTreeMap, fmt};

/// Kind of a custom resource of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    McpServer,
    McpTool,
    ProviderRoute,
}

impl Kind {
    /// The kind as manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::McpServer => "McpServer",
            Self::McpTool => "McpTool",
            Self::ProviderRoute => "ProviderRoute",
        }
    }
}

/// Which object a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; `default` where a file names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// Key of a server.
    pub fn server(object: &McpServer) -> Self {
        Self { kind: Kind::McpServer, namespace: namespace_of(object), name: object.name_any() }
    }

    /// Key of a tool.
    pub fn tool(object: &McpTool) -> Self {
        Self { kind: Kind::McpTool, namespace: namespace_of(object), name: object.name_any() }
    }

    /// Key of a route.
    pub fn route(object: &ProviderRoute) -> Self {
        Self { kind: Kind::ProviderRoute, namespace: namespace_of(object), name: object.name_any() }
    }
}

/// Namespace of an object; a file may leave it out.
pub(super) fn namespace_of(object: &impl ResourceExt) -> String {
    object.namespace().unwrap_or_else(|| "default".into())
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What the field belongs to is left out.
    Error,
    /// It serves, but probably not as meant.
    Warning,
}

/// Why, as the reason of a condition. Part of the API: scripts match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Reason {
    AuthMissing,
    BackendMissing,
    CrdMissing,
    Cycle,
    DescriptionMissing,
    DuplicateModel,
    DuplicateName,
    Internal,
    InvalidContent,
    InvalidDuration,
    InvalidExample,
    InvalidHeader,
    InvalidName,
    InvalidPattern,
    InvalidPin,
    InvalidSchema,
    InvalidScope,
    InvalidSelector,
    InvalidTemplate,
    InvalidUrl,
    ModelNotFound,
    NamespaceNotWatched,
    NothingSelected,
    NothingServed,
    NotServed,
    NotSupported,
    OutOfRange,
    PinsMissing,
    PinsUnused,
    PortNotFound,
    ReferenceNotGranted,
    ResourceNotFound,
    SecretRefMissing,
    ServerNotFound,
    ServiceNotFound,
    TooLarge,
    TooMany,
    TooManyTools,
    UnknownArgument,
    UpstreamNotReady,
}

impl Reason {
    /// The reason as conditions carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthMissing => "AuthMissing",
            Self::BackendMissing => "BackendMissing",
            Self::CrdMissing => "CrdMissing",
            Self::Cycle => "Cycle",
            Self::DescriptionMissing => "DescriptionMissing",
            Self::DuplicateModel => "DuplicateModel",
            Self::DuplicateName => "DuplicateName",
            Self::Internal => "Internal",
            Self::InvalidContent => "InvalidContent",
            Self::InvalidDuration => "InvalidDuration",
            Self::InvalidExample => "InvalidExample",
            Self::InvalidHeader => "InvalidHeader",
            Self::InvalidName => "InvalidName",
            Self::InvalidPattern => "InvalidPattern",
            Self::InvalidPin => "InvalidPin",
            Self::InvalidSchema => "InvalidSchema",
            Self::InvalidScope => "InvalidScope",
            Self::InvalidSelector => "InvalidSelector",
            Self::InvalidTemplate => "InvalidTemplate",
            Self::InvalidUrl => "InvalidURL",
            Self::ModelNotFound => "ModelNotFound",
            Self::NamespaceNotWatched => "NamespaceNotWatched",
            Self::NothingSelected => "NothingSelected",
            Self::NothingServed => "NothingServed",
            Self::NotServed => "NotServed",
            Self::NotSupported => "NotSupported",
            Self::OutOfRange => "OutOfRange",
            Self::PinsMissing => "PinsMissing",
            Self::PinsUnused => "PinsUnused",
            Self::PortNotFound => "PortNotFound",
            Self::ReferenceNotGranted => "ReferenceNotGranted",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::SecretRefMissing => "SecretRefMissing",
            Self::ServerNotFound => "ServerNotFound",
            Self::ServiceNotFound => "ServiceNotFound",
            Self::TooLarge => "TooLarge",
            Self::TooMany => "TooMany",
            Self::TooManyTools => "TooManyTools",
            Self::UnknownArgument => "UnknownArgument",
            Self::UpstreamNotReady => "UpstreamNotReady",
        }
    }
}

/// One thing to say: what, where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The object whose author can mend it.
    pub object: ObjectKey,
    /// JSON path of the field.
    pub field: String,
    /// How bad it is.
    pub severity: Severity,
    /// Why, for machines.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Longest field path and message, in characters: a status is bounded, what users write is not.
const MAX_FIELD: usize = 256;
const MAX_MESSAGE: usize = 1_024;

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Finding {
    pub(super) fn error(
        object: ObjectKey,
        field: &str,
        reason: Reason,
        message: impl Into<String>,
        remedy: &str,
    ) -> Self {
        let severity = Severity::Error;
        let (field, message) = (cut(field, MAX_FIELD), cut(&message.into(), MAX_MESSAGE));
        Self { object, field, severity, reason, message, remedy: remedy.into() }
    }

    /// Field, reason and remedy, without the object: for the object's own status.
    pub fn sentence(&self) -> String {
        format!("{}: {}; {}", self.field, self.message, self.remedy)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.sentence())
    }
}

/// What became of a selected object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the configuration.
    Served,
    /// It is left out; a finding says why.
    Refused,
}

/// Everything that compile has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Sorted by object and field.
    pub findings: Vec<Finding>,
    /// Each selected tool and route.
    pub verdicts: BTreeMap<ObjectKey, Verdict>,
}

impl Report {
    /// Findings that keep something from being served.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Findings about one object.
    pub fn about<'a>(&'a self, object: &'a ObjectKey) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.object == *object)
    }

    /// Selected objects of a kind that are left out.
    pub fn refused(&self, kind: Kind) -> impl Iterator<Item = &ObjectKey> {
        self.verdicts
            .iter()
            .filter(move |(object, verdict)| object.kind == kind && **verdict == Verdict::Refused)
            .map(|(object, _)| object)
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.findings.sort();
    }
}

/// Gathers findings while compile goes along.
#[derive(Debug, Default)]
pub(super) struct Collector {
    report: Report,
}

impl Collector {
    pub(super) fn scope(&mut self, object: ObjectKey) -> Scope<'_> {
        Scope { collector: self, object, errors: 0 }
    }

    pub(super) fn verdict(&mut self, object: ObjectKey, verdict: Verdict) {
        self.report.verdicts.insert(object, verdict);
    }

    pub(super) fn finish(mut self) -> Report {
        self.report.findings.sort();
        self.report.findings.dedup();
        self.report
    }
}

/// Findings about one object.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    collector: &'a mut Collector,
    object: ObjectKey,
    errors: usize,
}

impl Scope<'_> {
    pub(super) fn error(&mut self, field: &str, reason: Reason, message: impl Into<String>, remedy: &str) {
        self.errors += 1;
        let finding = Finding::error(self.object.clone(), field, reason, message, remedy);
        self.collector.report.findings.push(finding);
    }

    pub(super) fn warning(&mut self, field: &str, reason: Reason, message: impl Into<String>, remedy: &str) {
        let mut finding = Finding::error(self.object.clone(), field, reason, message, remedy);
        finding.severity = Severity::Warning;
        self.collector.report.findings.push(finding);
    }

    /// Whether nothing has been refused so far.
    pub(super) fn clean(&self) -> bool {
        self.errors == 0
    }

    /// A duration in ms; a refused one is reported and stands in as 1 s (the object is left out anyway).
    pub(super) fn millis(&mut self, field: &str, text: &crate::v1alpha1::DurationString) -> u64 {
        text.to_millis().unwrap_or_else(|error| {
            self.error(
                field,
                Reason::InvalidDuration,
                error.to_string(),
                "write a duration such as 250ms, 5s or 1m30s",
            );
            1_000
        })
    }
}
