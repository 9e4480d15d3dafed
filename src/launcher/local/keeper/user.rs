//! Whom a command runs as: ids, groups and home of a user, from the machine's own tables.
//!
//! `/etc/passwd` and `/etc/group` are read directly, which costs microseconds; users that are not there (a directory
//! service) are asked of `getent` and `id`, which know the machine's name services. Only a name names a user: a number
//! that no table knows is refused, unless it is the keeper's own, as in a container that runs as a number.

use std::fs;
use std::process::Command;

use rustix::process::{getegid, geteuid};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
    /// All groups, the first one included.
    pub(super) groups: Vec<u32>,
    /// Whether ids and groups must be set; not for the keeper's own user unless it is asked for by name.
    pub(super) is_changed: bool,
}

/// Finds `name`, or the keeper's own user without a name.
///
/// # Errors
///
/// A sentence: no such user, or no right to become it.
pub(super) fn find(name: Option<&str>) -> Result<User, String> {
    let own = geteuid().as_raw();
    let Some(name) = name else { return Ok(own_user(own)) };
    let passwd = read("/etc/passwd");
    let mut user = passwd
        .lines()
        .filter_map(parse_passwd)
        .find(|user| user.name == name)
        .map(|user| with_local_groups(user, &read("/etc/group")))
        .or_else(|| Some(own_user(own)).filter(|user| is_nameless(user) && user.name == name))
        .or_else(|| from_name_service(name))
        .ok_or_else(|| {
            format!("there is no user `{name}` on this machine: create it, or change `runAsUser`")
        })?;
    // Root becomes even itself: its groups are to be those of the table, not of whoever started us.
    user.is_changed = own == 0 || user.uid != own;
    if user.uid != own && own != 0 {
        return Err(format!(
            "the scheduler runs as user {own} and cannot start commands as `{name}`: run it as root, or leave out \
             `runAsUser`"
        ));
    }
    Ok(user)
}

fn own_user(uid: u32) -> User {
    own_user_in(&read("/etc/passwd"), uid)
}

fn own_user_in(passwd: &str, uid: u32) -> User {
    let known = passwd.lines().filter_map(parse_passwd).find(|user| user.uid == uid);
    known.unwrap_or_else(|| User {
        name: uid.to_string(),
        uid,
        gid: getegid().as_raw(),
        home: "/".to_owned(),
        groups: vec![],
        is_changed: false,
    })
}

/// Whether it goes by its number.
fn is_nameless(user: &User) -> bool {
    user.name == user.uid.to_string()
}

fn read(path: &str) -> String {
    // Names may be in any encoding; a line with other bytes in it still has its numbers.
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// `name:password:uid:gid:about:home:shell`
fn parse_passwd(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let home = fields.nth(1).filter(|home| !home.is_empty()).unwrap_or("/");
    Some(User {
        name: name.to_owned(),
        uid,
        gid,
        home: home.to_owned(),
        groups: vec![],
        is_changed: false,
    })
}

/// `name:password:gid:member,member`
fn with_local_groups(mut user: User, table: &str) -> User {
    user.groups = vec![user.gid];
    for line in table.lines() {
        let mut fields = line.split(':');
        let (gid, members) = (fields.nth(2).and_then(|gid| gid.parse().ok()), fields.next());
        let is_member = members.is_some_and(|members| members.split(',').any(|m| m == user.name));
        if let Some(gid) = gid.filter(|gid| is_member && !user.groups.contains(gid)) {
            user.groups.push(gid);
        }
    }
    user
}

fn from_name_service(name: &str) -> Option<User> {
    // `getent passwd 0` would find root: a name is asked for, not a number.
    if name.is_empty() || name.starts_with('-') || name.parse::<u64>().is_ok() {
        return None;
    }
    let ask = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let user = parse_passwd(&ask("getent", &["passwd", name])?).filter(|user| user.name == name)?;
    let groups = ask("id", &["-G", name])?;
    Some(User { groups: groups.split(' ').filter_map(|gid| gid.parse().ok()).collect(), ..user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tables_are_read() {
        let user = parse_passwd("www:x:33:34:a,b:/var/www:/bin/sh").unwrap();
        assert_eq!((user.uid, user.gid, user.home.as_str()), (33, 34, "/var/www"));
        assert_eq!(parse_passwd("x:x:1:2::").unwrap().home, "/");
        for line in ["", "+::::::", "a:x:b:c:d:e:f", "#c"] {
            assert_eq!(parse_passwd(line), None, "{line}");
        }
        let table = "a:x:1:www\nb:x:2:wwwx\nc:x:3:x,www\nd:x:34:www\nbad\n";
        assert_eq!(with_local_groups(user, table).groups, [34, 1, 3]);
    }

    #[test]
    fn who_has_no_name_goes_by_the_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n4400:x:7:7::/home/n:/bin/sh\n";
        let names = [0, 4_400, 7].map(|uid| own_user_in(passwd, uid).name);
        assert_eq!(names, ["root", "4400", "4400"]);
        let nameless = [0, 4_400, 7].map(|uid| is_nameless(&own_user_in(passwd, uid)));
        assert_eq!(nameless, [false, true, false]);
    }

    #[test]
    fn numbers_and_strangers_are_no_users() {
        for name in ["0", "99999", "no-such-user-here", "", "--help"] {
            assert!(find(Some(name)).unwrap_err().contains("there is no user"), "{name}");
        }
        assert_eq!(find(Some("root")).is_ok(), geteuid().is_root());
        assert!(!find(None).unwrap().is_changed);
    }
}
