//! Who may call from a browser: DNS rebinding (transports, "Security Warning").
//!
//! The `Host` header is no witness. A page of `evil.example` whose name was rebound to our address sends the same
//! name in `Origin` and in `Host`, so "same host" proves nothing; only a list does.

use super::{Reason, Refusal};
use http::{HeaderMap, Uri, header::ORIGIN};

/// Which values of `Origin` are let in. A request without `Origin` comes from no browser page and is let in always.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    listed: Vec<Origin>,
    loopback: Loopback,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Loopback {
    Allowed,
    #[default]
    Listed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl AllowedOrigins {
    /// Exactly these, each `scheme://host` or `scheme://host:port` with `http` or `https`.
    ///
    /// # Errors
    /// The first entry that is none of that form.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let listed =
            origins.into_iter().map(|text| Origin::parse(text).ok_or(text)).collect::<Result<_, _>>()?;
        Ok(Self { listed, loopback: Loopback::Listed })
    }

    /// These and pages served from the machine itself: for a listener on a loopback address, as on a laptop.
    /// A rebound name is never one of `localhost`, `127.0.0.1` and `[::1]`.
    pub fn and_loopback(self) -> Self {
        Self { loopback: Loopback::Allowed, ..self }
    }

    /// Checks the `Origin` of a request, whatever its method.
    ///
    /// # Errors
    /// 403 for one that is not allowed, and for two at once.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut sent = headers.get_all(ORIGIN).iter();
        match (sent.next(), sent.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if origin.to_str().is_ok_and(|origin| self.allows(origin)) => Ok(()),
            _ => Err(Refusal::new(Reason::ForeignOrigin, None, "this Origin is not allowed")),
        }
    }

    fn allows(&self, origin: &str) -> bool {
        Origin::parse(origin).is_some_and(|origin| {
            self.listed.contains(&origin) || (self.loopback == Loopback::Allowed && origin.is_loopback())
        })
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri = text.trim().parse::<Uri>().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@');
        let port = match uri.port() {
            Some(port) => port.as_str().parse().ok()?,
            None => default,
        };
        bare.then(|| uri.host().map(str::to_ascii_lowercase)).flatten().map(|host| Self {
            scheme,
            host,
            port,
        })
    }

    fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}
