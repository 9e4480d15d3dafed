//! What a supervisor such as systemd hears of `chronode serve`, at a real socket for it: when it is ready, reads its
//! files again, stops, and whether it is alive.

mod common;

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use common::{PATIENCE, Place, Server};
use rustix::process::Signal;
use serde_json::json;

/// A supervisor's end of the line.
struct Supervisor {
    socket: UnixDatagram,
    /// As the environment names it.
    name: String,
}

impl Supervisor {
    fn at_path(place: &Place) -> Self {
        let path = place.file("notify.sock");
        Self::listening(UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned())
    }

    /// As systemd's own once was: in no directory.
    fn without_path() -> Self {
        let name = format!("chronode-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self::listening(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"))
    }

    fn listening(socket: UnixDatagram, name: String) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, name }
    }

    fn start(&self, place: &Place, args: &[&str], env: &[(&str, &str)]) -> Server {
        let env = [&[("NOTIFY_SOCKET", self.name.as_str())], env].concat();
        Server::try_start(&place.data(), args, &env).unwrap()
    }

    /// What is said next.
    fn hears(&self) -> String {
        let mut bytes = [0; 4_096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Whether something is said within this time.
    fn hears_within(&self, span: Duration) -> bool {
        self.socket.set_read_timeout(Some(span)).unwrap();
        self.socket.recv(&mut [0; 4_096]).is_ok()
    }
}

#[test]
fn a_supervisor_hears_that_it_is_ready_reads_again_and_stops_in_this_order() {
    let place = Place::new();
    let jobs = place.file("jobs");
    fs::create_dir(&jobs).unwrap();
    for index in 0..300 {
        let job =
            format!("name: job-{index}\nschedule: R/2099-01-01T00:00:00Z/P1D\ncommand: 'true'\n");
        fs::write(jobs.join(format!("{index}.yaml")), job).unwrap();
    }
    for supervisor in [Supervisor::at_path(&place), Supervisor::without_path()] {
        let (data, name, jobs) = (place.data(), supervisor.name.clone(), jobs.clone());
        let starting = std::thread::spawn(move || {
            let env = [("NOTIFY_SOCKET", name.as_str())];
            Server::try_start(&data, &["--jobs", jobs.to_str().unwrap()], &env).unwrap()
        });
        let ready = supervisor.hears();
        let status = ready.strip_prefix("READY=1\nSTATUS=listening on ");
        let status = status.unwrap_or_else(|| panic!("{ready}"));
        let url = status.strip_suffix(", 300 jobs at the start").unwrap();
        // Whoever has heard it is answered at once, with all jobs: asked once, without another try.
        let answer = common::request(&format!("{url}/scheduler/jobs"), "GET", None);
        let listed: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, listed.len()), (200, 300));
        let server = starting.join().unwrap();
        server.signal(Signal::HUP);
        let reloading = supervisor.hears();
        let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        let at: u64 = at.unwrap_or_else(|| panic!("{reloading}")).parse().unwrap();
        assert!(at > 0 && u128::from(at) <= common::boot().as_micros(), "{at}");
        assert_eq!(supervisor.hears(), ready);

        assert!(server.terminate().success());
        assert_eq!(supervisor.hears(), "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=10000000");
        assert!(!supervisor.hears_within(Duration::from_millis(1)), "nothing comes after that");
    }
}

#[test]
fn a_supervisor_is_told_how_long_running_commands_are_waited_for_and_they_know_nothing_of_it() {
    let place = Place::new();
    let supervisor = Supervisor::at_path(&place);
    let watched = [("WATCHDOG_USEC", "3600000000")];
    let server = supervisor.start(&place, &["--drain", "40"], &watched);
    assert!(supervisor.hears().starts_with("READY=1\n"));
    assert_eq!(supervisor.hears(), "WATCHDOG=1");
    let (variables, release) = (place.file("variables"), place.file("release"));
    let command = format!(
        "env > {0}.new; mv {0}.new {0}; until [ -e {1} ]; do sleep 0.02; done",
        variables.display(),
        release.display()
    );
    server.post(&json!({"name": "a", "command": command, "schedule": "R1//PT1M"}));
    common::wait_for("it to run", || variables.exists().then_some(()));
    server.signal(Signal::TERM);
    assert_eq!(
        supervisor.hears(),
        "STOPPING=1\nSTATUS=waiting for running commands\nEXTEND_TIMEOUT_USEC=50000000"
    );
    fs::write(&release, "").unwrap();
    assert!(supervisor.hears().starts_with("STOPPING=1\nSTATUS=stopping\n"));
    let variables = fs::read_to_string(&variables).unwrap();
    assert!(variables.contains("CHRONODE_RUN_ID="), "{variables}");
    for word in ["NOTIFY", "WATCHDOG"] {
        assert!(!variables.contains(word), "{variables}");
    }
}

#[test]
fn a_supervisor_that_cannot_be_told_is_named_in_the_log_and_keeps_nothing_from_starting() {
    let place = Place::new();
    for (socket, expected) in [
        ("vsock:2:1234", "the supervisor is told nothing: NOTIFY_SOCKET `vsock:2:1234`: expected"),
        ("/nonexistent/socket", "the supervisor cannot be told `READY=1`: No such file"),
    ] {
        let env = [("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "3600000000")];
        let server = Server::try_start(&place.data(), &[], &env).unwrap();
        common::wait_for("the log", || server.log().contains(expected).then_some(()));
        assert!(server.terminate().success());
    }
}

/// The loop hangs in an answer; the process is there, and would stay.
#[cfg(feature = "failpoints")]
#[test]
fn a_watchdog_hears_of_it_for_as_long_as_the_loop_turns() {
    use std::io::Write as _;

    let place = Place::new();
    let supervisor = Supervisor::at_path(&place);
    let span = Duration::from_secs(1);
    let env = [("WATCHDOG_USEC", "1000000"), ("CHRONODE_FAILPOINT", "reply.before_send=hang")];
    let server = supervisor.start(&place, &[], &env);
    assert!(supervisor.hears().starts_with("READY=1\n"));
    for _ in 0..4 {
        assert_eq!(supervisor.hears(), "WATCHDOG=1");
    }
    let address = server.url.strip_prefix("http://").unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    write!(client, "PUT /scheduler/job/none HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    // It may say so a few times more: the loop has turned within half of the time.
    let after = (0..8).take_while(|_| supervisor.hears_within(span)).count();
    assert!(after < 8, "it still says that it is alive");
}
