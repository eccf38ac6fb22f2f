//! Temporary system errors, such as a full disk or an absent server: a retry may succeed.

use std::fmt;
use std::io::{self, ErrorKind};

use anyhow::{Error, anyhow};
use rustix::io::Errno;

/// The temporary errors.
const PASSING: &[Errno] = &[
    Errno::AGAIN,
    Errno::BUSY,
    Errno::DQUOT,
    Errno::HOSTDOWN,
    Errno::INTR,
    Errno::IO,
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NOLCK,
    Errno::NOMEM,
    Errno::NOSPC,
    Errno::NOTCONN,
    #[cfg(target_os = "linux")]
    Errno::REMOTEIO,
    Errno::STALE,
    Errno::TIMEDOUT,
];

/// True if one of an error's causes is temporary.
pub fn may_pass(error: &Error) -> bool {
    error.chain().any(|cause| {
        let system = cause.downcast_ref::<io::Error>();
        let number = system.and_then(io::Error::raw_os_error).map(Errno::from_raw_os_error);
        let number = number.or_else(|| cause.downcast_ref::<Errno>().copied());
        number.is_some_and(|number| PASSING.contains(&number))
            || system.is_some_and(|error| matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::StorageFull))
            || cause.is::<OneText>()
    })
}

/// Joins a chain of errors into one text; a temporary chain stays temporary.
pub fn in_one_text(error: &Error, text: String) -> Error {
    if may_pass(error) { OneText(text).into() } else { anyhow!(text) }
}

/// The text of a temporary error.
#[derive(Debug)]
struct OneText(String);

impl fmt::Display for OneText {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for OneText {}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn failed(number: Errno) -> Error {
        Err::<(), _>(io::Error::from(number)).context("`file`").context("reading").unwrap_err()
    }

    #[test]
    fn a_fault_that_may_pass_is_found_anywhere_in_the_chain() {
        for number in PASSING {
            let error = failed(*number);
            assert!(may_pass(&error), "{error:#}");
            assert!(may_pass(&in_one_text(&error, "one text".into()).context("more")), "{error:#}");
        }
        assert!(may_pass(&Error::from(Errno::IO)));
        assert!(may_pass(&io::Error::from(ErrorKind::OutOfMemory).into()));
    }

    #[test]
    fn what_fails_again_does_not_pass() {
        for number in [Errno::NOENT, Errno::ACCESS, Errno::ROFS, Errno::FBIG, Errno::EXIST, Errno::ISDIR] {
            let error = failed(number);
            assert!(!may_pass(&error), "{error:#}");
            assert!(!may_pass(&in_one_text(&error, "one text".into())), "{error:#}");
        }
        assert!(!may_pass(&anyhow!("no such scheme")));
    }
}
