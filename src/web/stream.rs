//! An export on its way out, piece by piece: the next one is made when the last one was taken.
//!
//! INVARIANT: an export that stops agreeing with what its record says breaks off without its end: a client sees an
//! answer that is not complete, never a whole one that is wrong.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::error::BlockingError;
use actix_web::web::{self, Bytes};

use crate::service::{App, ExportReading, ServiceError};

type Made = (Result<Option<Vec<u8>>, ServiceError>, Box<ExportReading>);
type Making = Pin<Box<dyn Future<Output = Result<Made, BlockingError>>>>;

enum State {
    Idle(Box<ExportReading>),
    Making(Making),
    Over,
}

/// The body of the answer.
pub struct Pieces {
    app: Arc<App>,
    state: State,
}

/// The answer broke off.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off: {0}")]
pub struct BrokenOff(String);

impl Pieces {
    pub fn new(app: Arc<App>, reading: Box<ExportReading>) -> Self {
        Self { app, state: State::Idle(reading) }
    }

    fn broken_off(&mut self, error: &dyn std::fmt::Display) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        tracing::error!(%error, "an export broke off");
        self.state = State::Over;
        Poll::Ready(Some(Err(BrokenOff(error.to_string()))))
    }
}

impl MessageBody for Pieces {
    type Error = BrokenOff;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Idle(mut reading) => {
                    let app = Arc::clone(&self.app);
                    self.state = State::Making(Box::pin(web::block(move || {
                        let made = app.export_next(&mut reading);
                        (made, reading)
                    })));
                }
                State::Making(mut making) => match making.as_mut().poll(context) {
                    Poll::Pending => {
                        self.state = State::Making(making);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((Ok(Some(piece)), reading))) => {
                        self.state = State::Idle(reading);
                        return Poll::Ready(Some(Ok(Bytes::from(piece))));
                    }
                    Poll::Ready(Ok((Ok(None), _))) => return Poll::Ready(None),
                    Poll::Ready(Ok((Err(error), _))) => return self.broken_off(&error),
                    Poll::Ready(Err(error)) => return self.broken_off(&error),
                },
            }
        }
    }
}
