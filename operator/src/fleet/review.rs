//! Which pod is it that dials? Its token says so, and the API server says whether the token is true.
//!
//! A projected token of our own audience is bound to its pod: the API server refuses it once the pod is gone,
//! and names the pod in its answer. The token itself is neither kept nor logged.

use crate::world::Key;
use http::StatusCode;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus, UserInfo};
use kube::{Api, Client, api::PostParams};
use mcpfleet_config::stream::AUDIENCE;

/// Extra fields of a token's user that name its pod.
const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
/// Usernames of service accounts begin so; namespace and name follow.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// A pod that has proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its server: a service account has the name and the namespace of its server.
    pub server: Key,
    /// Its name.
    pub pod: String,
    /// Its uid: another pod of the same name is another pod.
    pub uid: String,
}

/// Why a stream is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token proves nothing.
    #[error("the token is refused: {0}")]
    Token(String),
    /// It is true, but not that of a service account's pod.
    #[error("the token is not bound to a pod of a server: use a projected service account token")]
    NotAPod,
    /// The API server could not be asked; the same token may do later.
    #[error("the token cannot be reviewed now: {0}")]
    Unavailable(String),
}

impl Refused {
    /// Status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::NotAPod => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Somebody who knows whose token it is.
pub trait Review: Send + Sync + 'static {
    /// The pod that `token` is bound to.
    ///
    /// # Errors
    /// The token is refused, or nobody can say.
    fn review(&self, token: &str) -> impl Future<Output = Result<Peer, Refused>> + Send;
}

/// Asks the API server.
#[derive(Clone)]
pub struct TokenReviews {
    client: Client,
}

impl TokenReviews {
    /// By `client`, which needs `create` on `tokenreviews`, and to lead: a review counts as a write.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl std::fmt::Debug for TokenReviews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenReviews").finish_non_exhaustive()
    }
}

impl Review for TokenReviews {
    async fn review(&self, token: &str) -> Result<Peer, Refused> {
        if token.is_empty() {
            return Err(Refused::Token("it is empty".into()));
        }
        let spec = TokenReviewSpec { token: Some(token.into()), audiences: Some(vec![AUDIENCE.into()]) };
        let question = TokenReview { spec, ..TokenReview::default() };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &question).await;
        let answer = answer.map_err(|error| Refused::Unavailable(error.to_string()))?;
        peer_of(&answer.status.unwrap_or_default())
    }
}

/// Whom a review names.
///
/// # Errors
/// The token is not true, not meant for us, or not that of a service account's pod.
pub fn peer_of(status: &TokenReviewStatus) -> Result<Peer, Refused> {
    if status.authenticated != Some(true) {
        let why = status.error.as_deref().filter(|error| !error.is_empty());
        return Err(Refused::Token(why.unwrap_or("the API server does not know it").into()));
    }
    // An authenticator that knows no audiences answers without any: the token is then meant for the API server.
    if !status.audiences.iter().flatten().any(|audience| audience == AUDIENCE) {
        return Err(Refused::Token(format!("it is not meant for audience {AUDIENCE}")));
    }
    status.user.as_ref().and_then(bound).ok_or(Refused::NotAPod)
}

fn bound(user: &UserInfo) -> Option<Peer> {
    let account = user.username.as_deref()?.strip_prefix(SERVICE_ACCOUNT)?;
    let (namespace, name) = account.split_once(':')?;
    if namespace.is_empty() || name.is_empty() || name.contains(':') {
        return None;
    }
    let server = Key::new(namespace, name);
    Some(Peer { server, pod: extra(user, POD_NAME)?, uid: extra(user, POD_UID)? })
}

/// The one value of an extra field.
fn extra(user: &UserInfo, key: &str) -> Option<String> {
    match user.extra.as_ref()?.get(key)?.as_slice() {
        [value] if !value.is_empty() => Some(value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The API server's answer about a token of a pod of server agents/support, with `change` laid over it.
    fn reviewed(change: impl FnOnce(&mut Value)) -> Result<Peer, Refused> {
        let mut status = json!({
            "authenticated": true,
            "audiences": [AUDIENCE],
            "user": {
                "username": "system:serviceaccount:agents:support",
                "uid": "uid-of-account",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:agents", "system:authenticated"],
                "extra": {
                    "authentication.kubernetes.io/credential-id": ["JTI=1"],
                    "authentication.kubernetes.io/node-name": ["node-1"],
                    "authentication.kubernetes.io/pod-name": ["support-1"],
                    "authentication.kubernetes.io/pod-uid": ["uid-of-pod"],
                },
            },
        });
        change(&mut status);
        peer_of(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn a_bound_token_names_server_and_pod() {
        let peer =
            Peer { server: Key::new("agents", "support"), pod: "support-1".into(), uid: "uid-of-pod".into() };
        assert_eq!(reviewed(|_| {}), Ok(peer));
    }

    #[test]
    fn a_token_that_is_not_true_is_refused_in_the_api_servers_words() {
        let refused = reviewed(|status| {
            *status = json!({"authenticated": false, "error": "token has expired"});
        });
        assert_eq!(refused, Err(Refused::Token("token has expired".into())));
        let silent = reviewed(|status| *status = json!({}));
        assert!(matches!(silent, Err(Refused::Token(_))), "{silent:?}");
    }

    #[test]
    fn a_token_for_somebody_else_is_refused() {
        for audiences in [json!(["https://kubernetes.default.svc"]), json!([]), Value::Null] {
            let refused = reviewed(|status| status["audiences"] = audiences);
            assert_eq!(refused.unwrap_err().status(), StatusCode::UNAUTHORIZED);
        }
    }

    #[test]
    fn users_and_nodes_are_no_pods() {
        let names = [
            "alice",
            "system:node:node-1",
            "system:serviceaccount:agents",
            "system:serviceaccount::support",
            "system:serviceaccount:agents:",
            "system:serviceaccount:agents:support:x",
        ];
        for name in names {
            let refused = reviewed(|status| status["user"]["username"] = json!(name));
            assert_eq!(refused, Err(Refused::NotAPod), "{name}");
        }
        assert_eq!(reviewed(|status| status["user"] = Value::Null), Err(Refused::NotAPod));
    }

    #[test]
    fn a_token_that_is_bound_to_no_pod_is_refused() {
        for field in [POD_NAME, POD_UID] {
            for value in [json!([]), json!([""]), json!(["a", "b"])] {
                let refused = reviewed(|status| status["user"]["extra"][field] = value.clone());
                assert_eq!(refused, Err(Refused::NotAPod), "{field}: {value}");
            }
            let without = reviewed(|status| {
                status["user"]["extra"].as_object_mut().unwrap().remove(field);
            });
            assert_eq!(without, Err(Refused::NotAPod), "{field}");
        }
        assert_eq!(Refused::NotAPod.status(), StatusCode::FORBIDDEN);
    }
}
