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
		"/machine.slice/libpod-conmon-" + id + ".scope":                       {Unit: "libpod-conmon-" + id + ".scope"},
		"/kubepods/burstable/pod" + uid + "/" + id:                            {Container: id, Pod: uid},
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope": {
			Unit: "cri-containerd-" + id + ".scope", Container: id, Runtime: "containerd", Pod: uid},
		"/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/crio-" + id + ".scope": {
			Unit: "crio-" + id + ".scope", Container: id, Runtime: "cri-o", Pod: uid},
		"/lxc.payload.web": {Container: "web", Runtime: "lxc"},
		"/lxc/web/x":       {Container: "web", Runtime: "lxc"},
		"/podcast.service": {Unit: "podcast.service"},
		"/deadbeef":        {},
	} {
		if got := PlaceOf(path); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", path, got, want)
		}
	}
}
