//! What a request is for.

use super::{
    PROBE_HEADER, Shared, answer,
    arrived::Arrived,
    event_stream,
    intake::{MAX_BODY, NoBody, Received},
    mcp::{self, Call},
    metadata, models, registry, subscriptions,
};
use crate::{
    catalog::Snapshot,
    conversation::Visit,
    fleet::{Address, REGISTRY, REGISTRY_V0},
    identity::{Challenge, Gatekeeper, Principal, is_well_known},
    model::{self, Body},
    peer::Forwarded,
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
    // Counted where the client has reached us, and no proof that clients do.
    let is_forwarded = request.extensions().get::<Forwarded>().is_some();
    let mut response = dispatch(&shared, route, request).await;
    if !is_probe && !is_forwarded {
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
        "/sse" => HttpRoute::Sse,
        "/v1/chat/completions" => HttpRoute::ChatCompletions,
        "/v1/models" => HttpRoute::Models,
        REGISTRY | REGISTRY_V0 => HttpRoute::Registry,
        _ => HttpRoute::Unknown,
    }
}

async fn dispatch(shared: &Arc<Shared>, route: HttpRoute, request: Request<Incoming>) -> Response<Body> {
    let (path, headers) = (request.uri().path(), request.headers());
    if route == HttpRoute::ResourceMetadata {
        let document = metadata::get(shared, request.method(), path, headers);
        return document.unwrap_or_else(|| not_found(shared, route));
    }
    if route == HttpRoute::Registry {
        let (parts, _) = request.into_parts();
        return registry::get(shared, &parts).await.unwrap_or_else(|| not_found(shared, route));
    }
    let Some(server) = shared.fleet.find(Address::read(path)).filter(|_| route != HttpRoute::Unknown) else {
        return not_found(shared, route);
    };
    let snapshot = server.snapshot();
    let origin = mcp::check_origin(&snapshot, shared.exposure, headers);
    let is_mcp = matches!(route, HttpRoute::Mcp | HttpRoute::Sse);
    if !is_mcp && !snapshot.parts.config.serves_models {
        return not_found(shared, route);
    }
    if let Err(why) = origin {
        return if is_mcp { answer::refusal(&why) } else { models::foreign_origin(&why) };
    }
    match admit(shared, &snapshot.parts.gate, headers).await {
        Ok(caller) if is_mcp => {
            let visit = Visit { shared: shared.clone(), server, snapshot };
            mcp_request(visit, caller, route, request).await
        }
        Ok(caller) if caller.may_use(&[], MODELS) => {
            model_request((shared, &server), &snapshot, &caller, route, request).await
        }
        Ok(_) => models::out_of_reach(),
        Err(challenge) if is_mcp => challenge.response(),
        Err(challenge) => models::not_let_in(&challenge),
    }
}

async fn mcp_request(
    visit: Visit,
    principal: Arc<Principal>,
    route: HttpRoute,
    request: Request<Incoming>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let shared = visit.shared.clone();
    let Received { bytes: body, share } = match parts.method {
        Method::POST => match shared.intake.read(body).await {
            Ok(received) => received,
            Err(why) => return no_body(why),
        },
        _ => Received::default(),
    };
    let arrived = Arrived { parts, body, share };
    let call = Call { visit, principal, arrived: &arrived };
    match (&arrived.parts.method, event_stream::named(&arrived)) {
        (&Method::POST, Some(stream)) => event_stream::post(&call, &stream).await,
        (&Method::GET, _) if route == HttpRoute::Sse || event_stream::is_asked_for(&arrived) => {
            event_stream::open(&call)
        }
        (&Method::POST, None) => mcp::post(call).await,
        (&Method::GET, _) => subscriptions::get(&call).await,
        (&Method::DELETE, _) => mcp::delete(call).await,
        _ => answer::refusal(&Refusal::method_not_allowed(subscriptions::methods(&call.visit.snapshot))),
    }
}

fn no_body(why: NoBody) -> Response<Body> {
    match why {
        NoBody::TooLarge => answer::refusal(&Refusal::body_too_large(MAX_BODY as u64)),
        NoBody::TooSlow | NoBody::Broken => too_slow(),
        NoBody::NoRoom => no_room(),
    }
}
async fn model_request(
    (shared, server): (&Shared, &Server),
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
    let (parts, body) = request.into_parts();
    let headers: HeaderMap = parts.headers;
    match shared.intake.read(body).await {
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
    // Names of servers that are not open are for those who are let in.
    let open = servers.iter().filter(|(_, server)| server.snapshot().parts.gate.is_open());
    for (name, server) in open.take(50) {
        endpoints.push(format!("{}/mcp", prefix(name)));
        if server.snapshot().parts.config.serves_models {
            endpoints.push(format!("{}/v1/chat/completions", prefix(name)));
            endpoints.push(format!("{}/v1/models", prefix(name)));
        }
    }
    let why = match route {
        HttpRoute::ChatCompletions | HttpRoute::Models => "models are not served here",
        _ => "there is nothing at this path",
    };
    let body = serde_json::json!({"error": why, "endpoints": endpoints});
    answer::json(StatusCode::NOT_FOUND, body.to_string())
}
