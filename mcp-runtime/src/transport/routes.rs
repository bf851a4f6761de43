//! What a request is for.

use super::{
    PROBE_HEADER, Shared, answer,
    intake::{MAX_BODY, NoBody},
    mcp, metadata, models, subscriptions,
};
use crate::{
    catalog::Snapshot,
    fleet::Address,
    identity::{Challenge, Gatekeeper, Principal, is_well_known},
    model::{self, Body},
    server::Server,
    telemetry::{HttpRoute, MODELS},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, RETRY_AFTER},
};
use hyper::body::Incoming;
use mcpfleet_protocol::server::Refusal;
use std::{convert::Infallible, sync::Arc};

/// Answers any request; every failure is an answer too.
pub async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let route = route_of(&request);
    let version = request.version();
    let is_probe = is_probe(&shared, request.headers());
    let mut response = dispatch(&shared, route, request).await;
    if !is_probe {
        shared.metrics.answered(route, response.status().as_u16());
        shared.count_answer();
    }
    // HTTP/2 says GOAWAY instead.
    if shared.sends_away() && version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

fn is_probe(shared: &Shared, headers: &HeaderMap) -> bool {
    headers
        .get(PROBE_HEADER)
        .is_some_and(|key| verify_slices_are_equal(key.as_bytes(), shared.probe_key().as_bytes()).is_ok())
}

/// Who calls. Asked before the body is read: nobody is worked for who is not let in.
async fn admit(shared: &Shared, gate: &Gatekeeper, headers: &HeaderMap) -> Result<Arc<Principal>, Challenge> {
    if is_probe(shared, headers) { Ok(Principal::nobody()) } else { gate.admit(headers).await }
}

fn route_of(request: &Request<Incoming>) -> HttpRoute {
    // First: what follows there is a path of a resource, and may end like one of ours.
    if is_well_known(request.uri().path()) {
        return HttpRoute::ResourceMetadata;
    }
    match Address::read(request.uri().path()).endpoint {
        "/mcp" => HttpRoute::Mcp,
        "/v1/chat/completions" => HttpRoute::ChatCompletions,
        "/v1/models" => HttpRoute::Models,
        _ => HttpRoute::Unknown,
    }
}

async fn dispatch(shared: &Arc<Shared>, route: HttpRoute, request: Request<Incoming>) -> Response<Body> {
    let (path, headers) = (request.uri().path(), request.headers());
    if route == HttpRoute::ResourceMetadata {
        let document = metadata::get(shared, request.method(), path, headers);
        return document.unwrap_or_else(|| not_found(shared, route));
    }
    let Some(server) = shared.fleet.find(Address::read(path)).filter(|_| route != HttpRoute::Unknown) else {
        return not_found(shared, route);
    };
    let snapshot = server.snapshot();
    let origin = mcp::check_origin(&snapshot, shared.exposure, request.headers());
    let is_mcp = route == HttpRoute::Mcp;
    if !is_mcp && !snapshot.parts.config.serves_models {
        return not_found(shared, route);
    }
    if let Err(why) = origin {
        return if is_mcp { answer::refusal(&why) } else { models::foreign_origin(&why) };
    }
    match admit(shared, &snapshot.parts.gate, request.headers()).await {
        Ok(caller) if is_mcp => mcp_request(shared, &server, &snapshot, &caller, request).await,
        Ok(caller) if caller.may_use(&[], MODELS) => {
            model_request(shared, &server, &snapshot, &caller, route, request).await
        }
        Ok(_) => models::out_of_reach(),
        Err(challenge) if is_mcp => challenge.response(),
        Err(challenge) => models::not_let_in(&challenge),
    }
}

async fn mcp_request(
    shared: &Arc<Shared>,
    server: &Arc<Server>,
    snapshot: &Arc<Snapshot>,
    caller: &Arc<Principal>,
    request: Request<Incoming>,
) -> Response<Body> {
    match *request.method() {
        Method::POST => {}
        Method::GET => return subscriptions::get(shared, server, snapshot, request.headers()),
        _ => return answer::refusal(&Refusal::method_not_allowed(subscriptions::methods(snapshot))),
    }
    let headers = request.headers().clone();
    match shared.intake.read(request).await {
        Ok(body) => mcp::post(shared, server, snapshot, caller, &headers, &body.bytes).await,
        Err(NoBody::TooLarge) => answer::refusal(&Refusal::body_too_large(MAX_BODY as u64)),
        Err(NoBody::TooSlow | NoBody::Broken) => too_slow(),
        Err(NoBody::NoRoom) => no_room(),
    }
}

async fn model_request(
    shared: &Shared,
    server: &Server,
    snapshot: &Snapshot,
    caller: &Principal,
    route: HttpRoute,
    request: Request<Incoming>,
) -> Response<Body> {
    let wanted = if route == HttpRoute::Models { Method::GET } else { Method::POST };
    if request.method() != wanted {
        return model::wrong_method(&wanted);
    }
    if route == HttpRoute::Models {
        return models::list(snapshot);
    }
    let headers: HeaderMap = request.headers().clone();
    match shared.intake.read(request).await {
        Ok(body) => models::chat(server, snapshot, caller, &headers, body.bytes.clone()).await,
        Err(NoBody::TooLarge) => model::too_large(MAX_BODY),
        Err(NoBody::TooSlow | NoBody::Broken) => too_slow(),
        Err(NoBody::NoRoom) => no_room(),
    }
}

fn too_slow() -> Response<Body> {
    answer::json(StatusCode::REQUEST_TIMEOUT, r#"{"error":"the body did not arrive in time"}"#)
}

fn no_room() -> Response<Body> {
    let body = r#"{"error":"too many large requests at once; try again in 1 s"}"#;
    let mut response = answer::json(StatusCode::SERVICE_UNAVAILABLE, body);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Says what there is. Before the first configuration nothing is, which is no 404.
fn not_found(shared: &Shared, route: HttpRoute) -> Response<Body> {
    let servers = shared.fleet.all();
    if servers.is_empty() {
        let body = r#"{"error":"no configuration is served yet"}"#;
        return answer::json(StatusCode::SERVICE_UNAVAILABLE, body);
    }
    let prefix = |name: &str| if servers.len() == 1 { String::new() } else { format!("/{name}") };
    let mut endpoints: Vec<String> = Vec::new();
    for (name, server) in servers.iter().take(50) {
        endpoints.push(format!("{}/mcp", prefix(name)));
        if server.snapshot().parts.config.serves_models {
            endpoints.push(format!("{}/v1/chat/completions", prefix(name)));
            endpoints.push(format!("{}/v1/models", prefix(name)));
        }
    }
    let why = match route {
        HttpRoute::ChatCompletions | HttpRoute::Models => "models are not served here",
        HttpRoute::Mcp | HttpRoute::ResourceMetadata | HttpRoute::Unknown => "there is nothing at this path",
    };
    let body = serde_json::json!({"error": why, "endpoints": endpoints});
    answer::json(StatusCode::NOT_FOUND, body.to_string())
}
