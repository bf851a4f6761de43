//! `GET /registry`: who may see it, and the page that he sees. Changes of the configuration show at once: a page is made of
//! the snapshots that are served.

use super::{Exposure, Shared, answer, mcp::check_origin};
use crate::{
    fleet::Address,
    identity::{Principal, is_admitted},
    model::Body,
    registry::{Entry, Page, Place, Query},
    server::Server,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, ETAG, HOST, IF_NONE_MATCH, VARY},
    request::Parts,
};
use mcpfleet_config::Neighbour;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// Answers a request for the registry; `None` when it asks at a path where no server is, or, without naming a server,
/// comes from somebody for whom there is none.
pub async fn get(shared: &Shared, request: &Parts) -> Option<Response<Body>> {
    let address = Address::read(request.uri.path());
    let asked = shared.fleet.find(address);
    if asked.is_none() && address.server.is_some() {
        return None;
    }
    let mut all = Candidates::default();
    if let Some(server) = &asked {
        let snapshot = server.snapshot();
        if let Err(why) = check_origin(&snapshot, shared.exposure, &request.headers) {
            return Some(answer::refusal(&why));
        }
        match snapshot.parts.gate.admit(&request.headers).await {
            Err(challenge) => return Some(challenge.response()),
            Ok(caller) => all.neighbours(&snapshot.parts.config.neighbours, &caller),
        }
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Some(wrong_method());
    }
    let query = match Query::read(request.uri.query()) {
        Ok(query) => query,
        Err(bad) => {
            return Some(answer::json(
                StatusCode::BAD_REQUEST,
                json!({"error": bad.to_string()}).to_string(),
            ));
        }
    };
    let servers = shared.fleet.all();
    // One of this process is known better by itself.
    all.0.extend(servers.iter().map(|(name, server)| (name.clone(), Candidate::Here(server.clone()))));
    let page = all.page(query, shared.exposure, request, servers.len() == 1).await;
    let is_for_somebody = asked.is_some() || page.has_servers();
    is_for_somebody.then(|| written(&page.into_json().to_string(), &request.headers))
}

/// Servers that may be listed, by name.
#[derive(Default)]
struct Candidates(BTreeMap<String, Candidate>);

enum Candidate {
    Here(Arc<Server>),
    Elsewhere(Entry),
}

impl Candidates {
    fn neighbours(&mut self, neighbours: &[Neighbour], caller: &Principal) {
        let admitted = neighbours.iter().filter(|neighbour| is_admitted(neighbour, caller));
        self.0.extend(admitted.map(|it| (it.name.clone(), Candidate::Elsewhere(Entry::elsewhere(it)))));
    }

    /// Each door is asked, and those that stay shut are not told of.
    async fn page(self, query: Query, exposure: Exposure, request: &Parts, only: bool) -> Page {
        let mut page = Page::new(query);
        for (name, candidate) in self.0 {
            if !page.query().wants(&name) {
                continue;
            }
            let entry = match candidate {
                Candidate::Elsewhere(entry) => Some(entry),
                Candidate::Here(server) => here(&server, exposure, request, only).await,
            };
            if let Some(entry) = entry
                && page.add(entry).is_break()
            {
                break;
            }
        }
        page
    }
}

async fn here(server: &Server, exposure: Exposure, request: &Parts, only: bool) -> Option<Entry> {
    let (snapshot, headers) = (server.snapshot(), &request.headers);
    check_origin(&snapshot, exposure, headers).ok()?;
    let caller = snapshot.parts.gate.admit(headers).await.ok()?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has it in the request line.
    let host =
        host.or_else(|| request.uri.authority().map(http::uri::Authority::as_str)).unwrap_or("localhost");
    let scheme = if snapshot.parts.config.listener.tls.is_some() { "https" } else { "http" };
    let path = if only { "/mcp".to_owned() } else { format!("/{}/mcp", server.name) };
    Some(Entry::of(&snapshot, &caller, Place { scheme, host, path: &path }))
}

fn wrong_method() -> Response<Body> {
    let mut response = answer::json(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"use GET here"}"#);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// It is the caller's own: to be kept by nobody else, and asked for again each time (RFC 9111, section 5.2.2).
fn written(document: &str, headers: &HeaderMap) -> Response<Body> {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest(&SHA256, document.as_bytes())));
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    });
    let mut response = if is_known {
        answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        answer::json(StatusCode::OK, document.to_owned())
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("authorization, x-api-key, host, origin"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}
