//! What a request asks of the API server, read from its method and path.

use http::{Method, Uri, request::Parts};

/// Verb and resource, as RBAC rules name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) verb: &'static str,
    /// Plural, with `/status` and the like; `other` for paths that are no resource.
    pub(super) resource: String,
    name: Option<String>,
}

impl Asked {
    pub(super) fn of(parts: &Parts) -> Self {
        let apply = parts
            .headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/apply-patch+yaml");
        Self::read(&parts.method, &parts.uri, apply)
    }

    fn read(method: &Method, uri: &Uri, apply: bool) -> Self {
        let (resource, name) = resource(uri.path());
        let watch = uri
            .query()
            .is_some_and(|query| query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1")));
        let verb = match *method {
            Method::GET if watch => "watch",
            Method::GET if name.is_none() => "list",
            Method::GET => "get",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH if apply => "apply",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "other",
        };
        Self { verb, resource, name }
    }

    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether it is about the lease called `name`.
    pub(super) fn is_lease(&self, name: &str) -> bool {
        // The lease is created before it has a holder; the collection is only ever posted to for that.
        self.resource == "leases" && self.name.as_deref().is_none_or(|found| found == name)
    }
}

/// Plural with subresource, and the object's name. Paths are `/api/v1/...` and `/apis/GROUP/VERSION/...`,
/// then optionally `namespaces/NS`, then `PLURAL[/NAME[/SUBRESOURCE]]`.
fn resource(path: &str) -> (String, Option<String>) {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let rest = match segments.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => &[],
    };
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    match rest {
        [] => ("other".into(), None),
        [plural] => ((*plural).into(), None),
        [plural, name] => ((*plural).into(), Some((*name).into())),
        [plural, name, subresource, ..] => (format!("{plural}/{subresource}"), Some((*name).into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, uri: &str) -> (&'static str, String) {
        let asked = Asked::read(method, &uri.parse().unwrap(), true);
        (asked.verb, asked.resource)
    }

    #[test]
    fn paths_are_read_as_rbac_names_them() {
        let get = |uri| asked(&Method::GET, uri);
        assert_eq!(get("/api/v1/namespaces/a/pods?labelSelector=x"), ("list", "pods".into()));
        assert_eq!(get("/api/v1/namespaces/a"), ("get", "namespaces".into()));
        assert_eq!(get("/apis/mcpfleet.dev/v1alpha1/mcptools?&watch=true"), ("watch", "mcptools".into()));
        assert_eq!(get("/version"), ("list", "other".into()));
        assert_eq!(
            asked(&Method::PATCH, "/apis/mcpfleet.dev/v1alpha1/namespaces/a/mcpservers/b/status"),
            ("apply", "mcpservers/status".into())
        );
    }

    #[test]
    fn only_the_own_lease_passes_a_shut_fence() {
        let patch = |uri: &str| Asked::read(&Method::PATCH, &uri.parse().unwrap(), false);
        let own = patch("/apis/coordination.k8s.io/v1/namespaces/a/leases/mcpfleet-operator");
        assert!(own.writes() && own.is_lease("mcpfleet-operator"));
        assert!(
            !patch("/apis/coordination.k8s.io/v1/namespaces/a/leases/node").is_lease("mcpfleet-operator")
        );
        assert!(!patch("/api/v1/namespaces/a/configmaps/mcpfleet-operator").is_lease("mcpfleet-operator"));
    }
}
