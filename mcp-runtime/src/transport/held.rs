//! A body that keeps its call's permit until its last frame is on its way.

use crate::{admission::Permit, model::Body};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// `body`, and the permit until it ends or is dropped.
pub fn hold(body: Body, permit: Option<Permit>) -> Body {
    match permit {
        Some(permit) => Body::new(Held { body, permit: Some(permit) }),
        None => body,
    }
}

struct Held {
    body: Body,
    permit: Option<Permit>,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        // The work is done with the last frame; how fast the client reads it is no reason to keep others waiting.
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.permit = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
