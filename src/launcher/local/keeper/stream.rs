//! Pumps what a command prints from its pipes into its files.
//!
//! A pipe lives as long as somebody holds its other end, which may be a daemon that the command left behind. So the end
//! of a run is not the end of its streams: at the end what is there is taken, and pumping goes on.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use super::capture::Capture;
use super::start::Starters;

/// Bytes taken at once; what a pipe holds.
const CHUNK_BYTES: usize = 64 << 10;

/// Bytes taken at the end of a run; the most that a pipe can be made to hold without privilege. Whoever still writes
/// is not waited for.
const DRAIN_BYTES: usize = 1 << 20;

/// One stream of a live attempt.
#[derive(Debug)]
pub(super) struct Stream {
    pipe: Receiver,
    capture: RefCell<Option<Capture>>,
    starters: Rc<Starters>,
    /// Nobody holds the other end any more.
    has_ended: Cell<bool>,
    /// The run is over, and nothing will be added.
    is_closed: Cell<bool>,
}

impl Stream {
    /// Begins to pump `pipe` into `capture`.
    ///
    /// # Errors
    ///
    /// If the pipe cannot be watched.
    pub(super) fn open(
        pipe: OwnedFd,
        capture: Capture,
        starters: &Rc<Starters>,
        events: &UnboundedSender<Event>,
    ) -> io::Result<Rc<Self>> {
        let pipe = Receiver::from_owned_fd(pipe)?;
        let stream = Rc::new(Self {
            pipe,
            capture: RefCell::new(Some(capture)),
            starters: Rc::clone(starters),
            has_ended: Cell::new(false),
            is_closed: Cell::new(false),
        });
        tokio::task::spawn_local(pump(Rc::clone(&stream), events.clone()));
        Ok(stream)
    }

    /// Takes some of what is there; how much, 0 at the end.
    fn take(&self) -> io::Result<usize> {
        let mut buffer = [0; CHUNK_BYTES];
        let count = self.pipe.try_read(&mut buffer)?;
        self.note(&buffer[..count]);
        Ok(count)
    }

    fn note(&self, bytes: &[u8]) {
        if let Some(capture) = self.capture.borrow_mut().as_mut() {
            capture.write(bytes);
        }
    }

    /// The run is over: takes what is there. What its daemons print is still kept.
    pub(super) fn close(&self, note: &str) {
        self.drain();
        self.note(note.as_bytes());
        self.is_closed.set(true);
        self.finish();
    }

    fn finish(&self) {
        if self.has_ended.get()
            && self.is_closed.get()
            && let Some(capture) = self.capture.take()
            && capture.needs_finish()
        {
            self.starters.finish(capture);
        }
    }

    fn drain(&self) {
        let mut buffer = [0; CHUNK_BYTES];
        let mut taken = 0;
        // Asks the system, not the runtime, which may not have heard yet that there is something.
        while let Ok(count @ 1..) = rustix::io::read(&self.pipe, &mut buffer[..]) {
            self.note(&buffer[..count]);
            taken += count;
            if taken >= DRAIN_BYTES {
                return;
            }
        }
    }
}

async fn pump(stream: Rc<Stream>, events: UnboundedSender<Event>) {
    while stream.pipe.readable().await.is_ok() {
        match stream.take() {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => break,
        }
    }
    stream.has_ended.set(true);
    stream.finish();
    let _ = events.send(Event::StreamEnded);
}
