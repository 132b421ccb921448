/* termios.c - the module termios: how a terminal behaves. */
#include <linux/tty.h>
#include <sys/ioctl.h>
#include <sys/ttydefaults.h>
#include <termios.h>
#include <unistd.h>

#include "stdlib/posix.h"

/* termios.error(errno, text): not an OSError. */
static asy_value raise_termios(asy_vm *vm) {
  if (asy_raised(vm)) return ASY_FAILED;
  int error = errno;
  char buffer[128];
  asy_value module = asy_import(vm, "termios");
  asy_value cls = asy_failed(module) ? ASY_FAILED : asy_get_attr_cstr(vm, module, "error");
  asy_value text = asy_failed(cls) ? ASY_FAILED : asy_from_cstr(vm, strerror_r(error, buffer, sizeof buffer));
  asy_value exception = asy_failed(text) ? ASY_FAILED : asy_call2(vm, cls, asy_from_small(error), text);
  return asy_failed(exception) ? ASY_FAILED : asy_raise_value(vm, exception);
}

static asy_value done(asy_vm *vm, int rc) { return rc == -1 ? raise_termios(vm) : ASY_NONE; }

/* [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]; cc holds bytes, and numbers at VMIN and VTIME when input is not by lines. */
enum { MODE_ITEMS = 7, MODE_CC = 6 };

static asy_value characters(asy_vm *vm, const struct termios *mode) {
  asy_list *list = asy_list_new(vm, NCCS);
  for (int i = 0; list && i < NCCS; i++) {
    bool number = !(mode->c_lflag & ICANON) && (i == VMIN || i == VTIME);
    asy_value item = number ? asy_from_small(mode->c_cc[i]) : asy_from_bytes(vm, &mode->c_cc[i], 1);
    if (asy_failed(item) || !asy_list_append(vm, list, item)) list = NULL;
  }
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static asy_value t_tcgetattr(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  struct termios mode;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, tcgetattr(fd, &mode));
  asy_value cc = rc ? raise_termios(vm) : characters(vm, &mode);
  if (asy_failed(cc)) return ASY_FAILED;
  const asy_value items[MODE_ITEMS] = {
    asy_from_small(mode.c_iflag),
    asy_from_small(mode.c_oflag),
    asy_from_small(mode.c_cflag),
    asy_from_small(mode.c_lflag),
    asy_from_small(cfgetispeed(&mode)),
    asy_from_small(cfgetospeed(&mode)),
    cc,
  };
  asy_list *list = asy_list_from(vm, items, MODE_ITEMS);
  return list ? asy_from_obj(list) : ASY_FAILED;
}

static bool set_characters(asy_vm *vm, asy_value v, struct termios *mode) {
  asy_list *list = asy_is_kind(v, KIND_LIST) ? (asy_list *)asy_obj_of(v) : NULL;
  if (!list || list->len != NCCS)
    return asy_raise(vm, ASY_TypeError, "tcsetattr: attributes[6] must be %d element list", NCCS), false;
  for (uint32_t i = 0; i < NCCS; i++) {
    asy_value item = list->items[i];
    if (asy_is_int(item)) {
      mode->c_cc[i] = (cc_t)asy_small(item);
    } else if (asy_is_kind(item, KIND_BYTES) && ((const asy_bytes *)asy_obj_of(item))->len == 1) {
      mode->c_cc[i] = ((const asy_bytes *)asy_obj_of(item))->data[0];
    } else {
      asy_raise(vm, ASY_TypeError, "tcsetattr: elements of attributes must be characters or integers");
      return false;
    }
  }
  return true;
}

/* (fd, when, attributes) */
static asy_value t_tcsetattr(asy_vm *vm, const asy_value *args) {
  int fd, when, rc;
  int64_t numbers[MODE_CC];
  struct termios mode;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &when)) return ASY_FAILED;
  asy_list *list = asy_is_kind(args[2], KIND_LIST) ? (asy_list *)asy_obj_of(args[2]) : NULL;
  if (!list || list->len != MODE_ITEMS) return asy_raise(vm, ASY_TypeError, "tcsetattr, arg 3: must be 7 element list");
  POSIX_WAIT(vm, rc, tcgetattr(fd, &mode));
  if (rc) return raise_termios(vm);
  for (uint32_t i = 0; i < MODE_CC; i++)
    if (list->len != MODE_ITEMS || !asy_to_int64(vm, list->items[i], &numbers[i])) return ASY_FAILED;
  mode.c_iflag = (tcflag_t)numbers[0];
  mode.c_oflag = (tcflag_t)numbers[1];
  mode.c_cflag = (tcflag_t)numbers[2];
  mode.c_lflag = (tcflag_t)numbers[3];
  if (!set_characters(vm, list->items[MODE_CC], &mode)) return ASY_FAILED;
  if (cfsetispeed(&mode, (speed_t)numbers[4]) || cfsetospeed(&mode, (speed_t)numbers[5])) return raise_termios(vm);
  POSIX_WAIT(vm, rc, tcsetattr(fd, when, &mode));
  return done(vm, rc);
}

static asy_value t_tcsendbreak(asy_vm *vm, const asy_value *args) {
  int fd, duration, rc;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &duration)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, tcsendbreak(fd, duration));
  return done(vm, rc);
}
static asy_value t_tcdrain(asy_vm *vm, const asy_value *args) {
  int fd, rc;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, tcdrain(fd));
  return done(vm, rc);
}
static asy_value t_tcflush(asy_vm *vm, const asy_value *args) {
  int fd, queue, rc;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &queue)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, tcflush(fd, queue));
  return done(vm, rc);
}
static asy_value t_tcflow(asy_vm *vm, const asy_value *args) {
  int fd, action, rc;
  if (!posix_fd_or_file(vm, args[0], &fd) || !posix_int(vm, args[1], &action)) return ASY_FAILED;
  POSIX_WAIT(vm, rc, tcflow(fd, action));
  return done(vm, rc);
}

static asy_value t_tcgetwinsize(asy_vm *vm, const asy_value *args) {
  int fd;
  struct winsize size;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  if (ioctl(fd, TIOCGWINSZ, &size)) return raise_termios(vm);
  return asy_tuple_of(vm, 2, asy_from_small(size.ws_row), asy_from_small(size.ws_col));
}
static asy_value t_tcsetwinsize(asy_vm *vm, const asy_value *args) {
  int fd, rows, columns;
  struct winsize size;
  if (!posix_fd_or_file(vm, args[0], &fd)) return ASY_FAILED;
  asy_list *pair = asy_list_from_iterable(vm, args[1]);
  if (!pair) return ASY_FAILED;
  if (pair->len != 2) return asy_raise(vm, ASY_TypeError, "tcsetwinsize, arg 2: must be a two-item sequence");
  if (!posix_int(vm, pair->items[0], &rows) || !posix_int(vm, pair->items[1], &columns)) return ASY_FAILED;
  if (rows < 0 || rows > UINT16_MAX || columns < 0 || columns > UINT16_MAX)
    return asy_raise(vm, ASY_OverflowError, "winsize value(s) out of range.");
  if (ioctl(fd, TIOCGWINSZ, &size)) return raise_termios(vm);
  size.ws_row = (unsigned short)rows;
  size.ws_col = (unsigned short)columns;
  return done(vm, ioctl(fd, TIOCSWINSZ, &size));
}

static const asy_native natives[] = {
  {"tcdrain", SIG("(fd, /)"), t_tcdrain, DOC("Wait until all output has been transmitted."), 0},
  {"tcflow", SIG("(fd, action, /)"), t_tcflow, DOC("Suspend or resume input or output."), 0},
  {"tcflush", SIG("(fd, queue, /)"), t_tcflush, DOC("Discard queued data."), 0},
  {"tcgetattr", SIG("(fd, /)"), t_tcgetattr, DOC("The attributes: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]."),
   0},
  {"tcgetwinsize", SIG("(fd, /)"), t_tcgetwinsize, DOC("The window's size: (rows, columns)."), 0},
  {"tcsendbreak", SIG("(fd, duration, /)"), t_tcsendbreak, DOC("Send a break."), 0},
  {"tcsetattr", SIG("(fd, when, attributes, /)"), t_tcsetattr, DOC("Set the attributes."), 0},
  {"tcsetwinsize", SIG("(fd, winsize, /)"), t_tcsetwinsize, DOC("Set the window's size: (rows, columns)."), 0},
  {0},
};

#ifndef VSWTCH
enum { VSWTCH = VSWTC };
#endif
static const asy_constants constants = CONSTANTS(
  "termios", B0, B1000000, B2000000, B110, B115200, B1152000, B1200, B134, B150, B1500000, B1800, B19200, B200, B230400,
  B2400, B2500000, B300, B3000000, B3500000, B38400, B4000000, B460800, B4800, B50, B500000, B57600, B576000, B600, B75,
  B921600, B9600, BRKINT, BS0, BS1, BSDLY, CBAUD, CBAUDEX, CDSUSP, CEOF, CEOL, CEOT, CERASE, CFLUSH, CIBAUD, CINTR,
  CKILL, CLNEXT, CLOCAL, CQUIT, CR0, CR1, CR2, CR3, CRDLY, CREAD, CRPRNT, CS5, CS6, CS7, CS8, CSIZE, CSTART, CSTOP,
  CSTOPB, CSUSP, CWERASE, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ECHOPRT, EXTA, EXTB, EXTPROC, FF0, FF1, FFDLY,
  FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FLUSHO, HUPCL, ICANON, ICRNL, IEXTEN, IGNBRK, IGNCR, IGNPAR, IMAXBEL,
  INLCR, INPCK, IOCSIZE_MASK, IOCSIZE_SHIFT, ISIG, ISTRIP, IUCLC, IUTF8, IXANY, IXOFF, IXON, NCC, NCCS, NL0, NL1, NLDLY,
  NOFLSH, N_MOUSE, N_PPP, N_SLIP, N_STRIP, N_TTY, OCRNL, OFDEL, OFILL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, PARENB,
  PARMRK, PARODD, PENDIN, TAB0, TAB1, TAB2, TAB3, TABDLY, TCFLSH, TCGETA, TCGETS, TCIFLUSH, TCIOFF, TCIOFLUSH, TCION,
  TCOFLUSH, TCOOFF, TCOON, TCSADRAIN, TCSAFLUSH, TCSANOW, TCSBRK, TCSBRKP, TCSETA, TCSETAF, TCSETAW, TCSETS, TCSETSF,
  TCSETSW, TCXONC, TIOCCONS, TIOCEXCL, TIOCGETD, TIOCGICOUNT, TIOCGLCKTRMIOS, TIOCGPGRP, TIOCGSERIAL, TIOCGSOFTCAR,
  TIOCGWINSZ, TIOCINQ, TIOCLINUX, TIOCMBIC, TIOCMBIS, TIOCMGET, TIOCMIWAIT, TIOCMSET, TIOCM_CAR, TIOCM_CD, TIOCM_CTS,
  TIOCM_DSR, TIOCM_DTR, TIOCM_LE, TIOCM_RI, TIOCM_RNG, TIOCM_RTS, TIOCM_SR, TIOCM_ST, TIOCNOTTY, TIOCNXCL, TIOCOUTQ,
  TIOCPKT, TIOCPKT_DATA, TIOCPKT_DOSTOP, TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_NOSTOP, TIOCPKT_START,
  TIOCPKT_STOP, TIOCSCTTY, TIOCSERCONFIG, TIOCSERGETLSR, TIOCSERGETMULTI, TIOCSERGSTRUCT, TIOCSERGWILD, TIOCSERSETMULTI,
  TIOCSERSWILD, TIOCSER_TEMT, TIOCSETD, TIOCSLCKTRMIOS, TIOCSPGRP, TIOCSSERIAL, TIOCSSOFTCAR, TIOCSTI, TIOCSWINSZ,
  TOSTOP, VDISCARD, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VMIN, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VSWTC,
  VT0, VT1, VTDLY, VTIME, VWERASE, XCASE, XTABS, VSWTCH, _POSIX_VDISABLE);
static const asy_constants unsigned_constants = UNSIGNED_CONSTANTS("termios_unsigned", CRTSCTS);

static bool init(asy_vm *vm, asy_value module) {
  return asy_define_exception(vm, module, "termios.error", ASY_Exception) &&
         asy_module_add_constants(vm, module, &constants) && asy_module_add_constants(vm, module, &unsigned_constants);
}

const asy_module_def asy_module_termios = {"termios", natives, "POSIX terminal control.", init};
