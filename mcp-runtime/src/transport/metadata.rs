//! `/.well-known/oauth-protected-resource`: what OAuth clients read before they have a token (RFC 9728, section 3).

use super::{Shared, answer};
use crate::model::Body;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, HOST},
};

/// Answers a request for the document; `None` when no server here has one at this path.
pub fn get(shared: &Shared, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let servers = shared.fleet.all();
    let only = servers.len() == 1;
    let snapshots: Vec<_> = servers.values().map(|server| server.snapshot()).collect();
    let fitting = snapshots.iter().filter_map(|snapshot| snapshot.parts.gate.metadata(host, path));
    let (_, document) =
        fitting.filter(|(fit, _)| fit.is_unambiguous() || only).min_by_key(|(fit, _)| *fit)?;
    if *method != Method::GET {
        let mut response = answer::json(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"use GET here"}"#);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return Some(response);
    }
    let mut response = answer::json(StatusCode::OK, document.to_owned());
    // It is public, and clients in browsers read it too.
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Some(response)
}
