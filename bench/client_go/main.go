// client-go-contender runs a command under a Lease as any Go program would that uses client-go's leader
// election: it contends, runs the command once while it leads, gives the Lease back and ends with the command's
// status. klatch is measured and tested beside it.
//
// What client-go does not promise, this does not either: when it is killed its command goes on, and a command
// that was killed because the Lease was lost may have left children.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// As klatch has them, so that one table serves for both.
const (
	statusLost    = 123
	statusFailed  = 125
	statusMissing = 127
)

type options struct {
	kubeconfig, namespace, name, id           string
	leaseDuration, renewDeadline, retryPeriod time.Duration
	command                                   []string
}

func main() {
	options := parse()
	status, err := contend(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "client-go-contender:", err)
	}
	os.Exit(status)
}

func parse() options {
	var o options
	host, _ := os.Hostname()
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "a kubeconfig; without it, the pod's service account")
	flag.StringVar(&o.namespace, "namespace", "default", "the namespace of the Lease")
	flag.StringVar(&o.name, "name", "", "the name of the Lease")
	flag.StringVar(&o.id, "id", host+"_"+string(uuid.NewUUID()), "the holder's identity")
	flag.DurationVar(&o.leaseDuration, "lease-duration", 15*time.Second, "how long a hold lasts that is not renewed")
	flag.DurationVar(&o.renewDeadline, "renew-deadline", 10*time.Second, "when a hold is given up that cannot be renewed")
	flag.DurationVar(&o.retryPeriod, "retry-period", 2*time.Second, "the pause between tries")
	flag.Parse()
	o.command = flag.Args()
	if o.name == "" || len(o.command) == 0 {
		fmt.Fprintln(os.Stderr, "client-go-contender: say -name NAME -- COMMAND [ARG...]")
		os.Exit(statusFailed)
	}
	return o
}

// contend blocks until the command has ended and the Lease is given back.
func contend(o options) (int, error) {
	config, err := clusterConfig(o.kubeconfig)
	if err != nil {
		return statusFailed, err
	}
	// Only the one API group: a program that cares for its start-up would not build clients for all of them.
	client, err := coordination.NewForConfig(config)
	if err != nil {
		return statusFailed, err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	ended := make(chan outcome, 1)
	lock := &watchedLock{LeaseLock: resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: o.namespace, Name: o.name},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: o.id},
	}}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   o.leaseDuration,
		RenewDeadline:   o.renewDeadline,
		RetryPeriod:     o.retryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				result := run(leading, o.command)
				result.lost = leading.Err() != nil && ctx.Err() == nil
				ended <- result
				cancel()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return statusFailed, err
	}
	elector.Run(ctx)
	if !lock.led {
		return 128 + int(syscall.SIGTERM), errors.New("interrupted while it waited")
	}
	result := <-ended
	if result.lost {
		return statusLost, errors.New("the Lease was lost")
	}
	return result.status, result.err
}

// watchedLock knows whether it was ever held: the callback comes in a goroutine of its own, too late to tell.
type watchedLock struct {
	resourcelock.LeaseLock
	led bool
}

func (w *watchedLock) RecordEvent(event string) {
	w.led = w.led || event == "became leader"
}

func clusterConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

type outcome struct {
	status int
	lost   bool
	err    error
}

// run runs the command and kills it when leading ends.
func run(leading context.Context, command []string) outcome {
	child := exec.CommandContext(leading, command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return outcome{}
	case errors.As(err, &exit):
		if wait, ok := exit.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
			return outcome{status: 128 + int(wait.Signal())}
		}
		return outcome{status: exit.ExitCode()}
	default:
		return outcome{status: statusMissing, err: err}
	}
}
