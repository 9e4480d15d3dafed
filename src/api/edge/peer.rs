//! Whose process is at the other end of a loopback connection.
//!
//! When the scheduler runs as root, an open loopback port would let every local user run commands as root. The
//! kernel's socket tables (`/proc/net/tcp`, `/proc/net/tcp6`) name the user of the socket at the other end, and only
//! the users named in [`Peers`] are let in.
//!
//! A socket whose process has closed it shows user 0 and inode 0 in those tables, so an entry counts only with an
//! inode; and because a table's line is not written atomically, the entry must be there with its inode once more
//! afterwards: closing is final, so it was open all the time in between. Connections to addresses other than
//! loopback are not judged here; they need credentials.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Who is let in over loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peers {
    /// Every local user.
    Anyone,
    /// Processes of the users with these ids.
    Users(Vec<u32>),
}

impl Peers {
    /// Whether the process at `peer`, connected to our `local`, is let in; a sentence for it if not.
    ///
    /// Reads files of the kernel, which takes milliseconds on a machine with many sockets.
    ///
    /// # Errors
    ///
    /// The reason, for people.
    pub fn admit(&self, peer: SocketAddr, local: SocketAddr) -> Result<(), String> {
        let Self::Users(users) = self else { return Ok(()) };
        if !local.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        match owner(peer, local) {
            Ok(Some(user)) if users.contains(&user) => Ok(()),
            Ok(Some(user)) => Err(format!(
                "user {user} may not use this port: without credentials it answers only the user the scheduler \
                 runs as"
            )),
            Ok(None) => Err("the kernel does not say whose connection this is".to_owned()),
            Err(error) => Err(format!("it cannot be found out whose connection this is: {error}")),
        }
    }
}

const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The user of the process that holds the socket at `peer`.
fn owner(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<u32>> {
    let first = look_up(peer, local)?;
    let second = look_up(peer, local)?;
    Ok(first.filter(|_| first == second).map(|socket| socket.user))
}

fn look_up(peer: SocketAddr, local: SocketAddr) -> io::Result<Option<Socket>> {
    for table in TABLES {
        let file = match File::open(table) {
            // A kernel without IPv6 has one table only.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        if let Some(socket) = find(BufReader::new(file), peer, local)? {
            return Ok(Some(socket));
        }
    }
    Ok(None)
}

/// A socket that a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    user: u32,
    inode: u64,
}

/// Finds the socket whose own end is `peer` and whose other end is `local`.
fn find(table: impl BufRead, peer: SocketAddr, local: SocketAddr) -> io::Result<Option<Socket>> {
    let (peer, local) = (canonical(peer), canonical(local));
    for line in table.lines().skip(1) {
        let line = line?;
        if let Some((from, to, socket)) = read_line(&line)
            && (from, to) == (peer, local)
            && socket.inode != 0
        {
            return Ok(Some(socket));
        }
    }
    Ok(None)
}

/// An IPv4 client of a dual-stack listener is in the table of either version.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// `sl local remote state queues timer retransmits uid timeout inode …`
fn read_line(line: &str) -> Option<(SocketAddr, SocketAddr, Socket)> {
    let mut words = line.split_ascii_whitespace();
    let from = read_address(words.nth(1)?)?;
    let to = read_address(words.next()?)?;
    let user = words.nth(4)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    Some((from, to, Socket { user, inode }))
}

/// `0100007F:1130`: words of 32 bits as the machine stores them, then the port.
fn read_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |index: usize| {
        let hex = address.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(hex, 16).ok()?.to_ne_bytes())
    };
    let ip: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut octets = [0; 16];
            for (index, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(index)?);
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some(canonical(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?)))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1130 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0100007F:1130 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1130 01 00000000:00000000 00:00000000 00000000  1000        0 102 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1130 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0
   4: 0100007F:C352 0100007F:1130 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0
   broken
";
    const TCP6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C353 00000000000000000000000001000000:1130 01 00000000:00000000 00:00000000 00000000    33        0 103 1 0 20 4 30 10 -1
   1: 0000000000000000FFFF00000100007F:C354 0000000000000000FFFF00000100007F:1130 01 00000000:00000000 00:00000000 00000000    34        0 104 1 0 20 4 30 10 -1
";

    fn user(table: &str, peer: &str, local: &str) -> Option<u32> {
        find(table.as_bytes(), peer.parse().unwrap(), local.parse().unwrap())
            .unwrap()
            .map(|socket| socket.user)
    }

    #[test]
    fn the_user_of_the_other_end_is_found() {
        assert_eq!(user(TCP, "127.0.0.1:50000", "127.0.0.1:4400"), Some(1000));
        assert_eq!(user(TCP, "[::ffff:127.0.0.1]:50000", "[::ffff:127.0.0.1]:4400"), Some(1000));
        assert_eq!(user(TCP6, "[::1]:50003", "[::1]:4400"), Some(33));
        assert_eq!(user(TCP6, "127.0.0.1:50004", "127.0.0.1:4400"), Some(34));
        assert_eq!(user(TCP, "127.0.0.1:50009", "127.0.0.1:4400"), None);
    }

    #[test]
    fn a_closed_socket_is_nobodys_although_the_table_says_user_0() {
        assert_eq!(user(TCP, "127.0.0.1:50001", "127.0.0.1:4400"), None);
        assert_eq!(user(TCP, "127.0.0.1:50002", "127.0.0.1:4400"), None);
    }

    #[test]
    fn a_real_connection_belongs_to_this_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_server, peer) = listener.accept().unwrap();
        let us = rustix::process::geteuid().as_raw();
        let local = listener.local_addr().unwrap();
        assert_eq!(Peers::Users(vec![us]).admit(peer, local), Ok(()));
        assert!(Peers::Users(vec![us + 1]).admit(peer, local).is_err());
        assert_eq!(Peers::Anyone.admit(peer, local), Ok(()));
        drop(client);
        assert!(Peers::Users(vec![us]).admit(peer, local).is_err());
    }
}
