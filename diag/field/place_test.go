package field

import (
	"strings"
	"testing"
)

func TestPlaceOf(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	const uid = "c5a2e1d4-1b2c-4d5e-8f90-a1b2c3d4e5f6"
	for path, want := range map[string]Place{
		"":                               {},
		"/":                              {},
		"/user.slice":                    {},
		"/system.slice/nginx.service":    {Unit: "nginx.service"},
		"/init.scope":                    {Unit: "init.scope"},
		"/system.slice/cups.socket":      {Unit: "cups.socket"},
		`/system.slice/a\x2db.service`:   {Unit: "a-b.service"},
		"/system.slice/x.service/worker": {Unit: "x.service"},
		"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service": {Unit: "foo.service"},
		"/system.slice/docker-" + id + ".scope":                               {Unit: "docker-" + id + ".scope", Container: id, Runtime: "docker"},
		"/docker/" + id:                                                       {Container: id, Runtime: "docker"},
		"/machine.slice/libpod-" + id + ".scope":                              {Unit: "libpod-" + id + ".scope", Container: id, Runtime: "podman"},
		"/libpod_parent/libpod-" + id:                                         {Container: id, Runtime: "podman"},
		"/machine.slice/libpod-conmon-" + id + ".scope":                       {Unit: "libpod-conmon-" + id + ".scope"},
		"/kubepods/burstable/pod" + uid + "/" + id:                            {Container: id, Pod: uid},
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope": {
			Unit: "cri-containerd-" + id + ".scope", Container: id, Runtime: "containerd", Pod: uid},
		"/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/crio-" + id + ".scope": {
			Unit: "crio-" + id + ".scope", Container: id, Runtime: "cri-o", Pod: uid},
		"/system.slice/containerd.service/kubepods-besteffort-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice:cri-containerd:" + id: {
			Unit: "containerd.service", Container: id, Runtime: "containerd", Pod: uid},
		"/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice:crio:" + id: {Container: id, Runtime: "cri-o", Pod: uid},
		"/system.slice:docker:" + id:        {Container: id, Runtime: "docker"},
		"/system.slice:crio:conmon-" + id:   {},
		"/system.slice:docker:" + id + ":x": {},
		"/system.slice:docker:nginx":        {},
		"/a:docker:" + id:                   {},
		"/system.slice/a:b:c.service":       {Unit: "a:b:c.service"},
		"/lxc.payload.web":                  {Container: "web", Runtime: "lxc"},
		"/lxc/web/x":                        {Container: "web", Runtime: "lxc"},
		"/podcast.service":                  {Unit: "podcast.service"},
		"/deadbeef":                         {},
	} {
		if got := PlaceOf(path); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", path, got, want)
		}
	}
}

func TestPlaceOfFile(t *testing.T) {
	id := strings.Repeat("ab", 32)
	const uid = "c5a2e1d4-1b2c-4d5e-8f90-a1b2c3d4e5f6"
	for file, want := range map[string]Place{
		"":                       {},
		"0\n0:\n":                {},
		"0::/\n":                 {},
		"9:memory:/docker/" + id: {Container: id, Runtime: "docker"},
		"0::/system.slice/a.service\n1:cpu:/b.service\n":                                   {Unit: "a.service"},
		"0::/\n1:cpu:/b.service\n2:memory:/c.service\n":                                    {Unit: "b.service"},
		"9:memory:/docker/" + id + "\n1:name=systemd:/system.slice/docker.service\n0::/\n": {Container: id, Runtime: "docker"},
		"0::/system.slice/docker.service\n9:memory:/docker/" + id + "\n":                   {Unit: "docker.service", Container: id, Runtime: "docker"},
		"0::/system.slice/containerd.service/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice:cri-containerd:" + id + "\n": {
			Unit: "containerd.service", Container: id, Runtime: "containerd", Pod: uid},
	} {
		if got := PlaceOfFile([]byte(file)); got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", file, got, want)
		}
	}
}
