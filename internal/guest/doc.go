// Package guest runs programs, test binaries above all, on other Linux kernels: it boots Debian's in qemu, with a small initramfs and a
// process 1 of its own, and brings back what the programs wrote, how they ended, and the files that they left in /out.
//
//	k, err := guest.Open(module, "6.1")
//	...
//	res, err := guest.Run(ctx, guest.Config{
//		Kernel:   k,
//		Programs: []wire.Program{{Path: "/guest/bin/diag.test", Args: []string{"-test.v"}, Dir: "/src/diag"}},
//		Files:    []guest.File{{Guest: "/guest/bin/diag.test", Host: "diag.test"}},
//		Timeout:  time.Minute,
//	})
//
// The kernels are fetched by fetch.sh. The machine is emulated, which takes no privilege and works inside other virtual machines, and
// is ten to twenty times slower than the host.
package guest
