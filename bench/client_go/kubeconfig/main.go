// Resolves kubeconfigs as client-go does, for tests that hold klatch's resolution against it: one request per line of
// standard input, one answer per line of standard output. It connects to nothing and runs no plugin.
package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

type request struct {
	Kubeconfig string            `json:"kubeconfig"`
	Context    string            `json:"context"`
	Env        map[string]string `json:"env"`
}

type exec struct {
	APIVersion      string            `json:"apiVersion"`
	Command         string            `json:"command"`
	Args            []string          `json:"args"`
	Env             map[string]string `json:"env"`
	InteractiveMode string            `json:"interactiveMode"`
}

type answer struct {
	Error         string              `json:"error,omitempty"`
	Server        string              `json:"server,omitempty"`
	Namespace     string              `json:"namespace,omitempty"`
	CA            string              `json:"ca,omitempty"`
	Insecure      bool                `json:"insecure,omitempty"`
	TLSServerName string              `json:"tlsServerName,omitempty"`
	Proxy         string              `json:"proxy,omitempty"`
	Cert          string              `json:"cert,omitempty"`
	Key           string              `json:"key,omitempty"`
	Token         string              `json:"token,omitempty"`
	TokenFile     string              `json:"tokenFile,omitempty"`
	Username      string              `json:"username,omitempty"`
	Password      string              `json:"password,omitempty"`
	AuthProvider  map[string]string   `json:"authProvider,omitempty"`
	Exec          *exec               `json:"exec,omitempty"`
	Impersonate   map[string][]string `json:"impersonate,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(resolve(asked)); err != nil {
			panic(err)
		}
	}
}

func resolve(asked request) answer {
	os.Clearenv()
	for name, value := range asked.Env {
		os.Setenv(name, value)
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = asked.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: asked.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return answer{Error: err.Error()}
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return answer{Error: err.Error()}
	}
	found, err := describe(config)
	if err != nil {
		return answer{Error: err.Error()}
	}
	found.Namespace = namespace
	return *found
}

func describe(config *rest.Config) (*answer, error) {
	url, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	found := &answer{
		Server:        url.String(),
		Insecure:      config.Insecure,
		TLSServerName: config.ServerName,
		Token:         config.BearerToken,
		TokenFile:     config.BearerTokenFile,
		Username:      config.Username,
		Password:      config.Password,
		Impersonate:   impersonation(config.Impersonate),
	}
	// What the transport makes of it: whether certificates can be used, whether an authentication provider is known.
	if _, err := rest.TransportFor(config); err != nil {
		return nil, err
	}
	files := rest.CopyConfig(config)
	if err := rest.LoadTLSFiles(files); err != nil {
		return nil, err
	}
	found.CA, found.Cert, found.Key = string(files.CAData), string(files.CertData), string(files.KeyData)
	if config.Proxy != nil {
		proxy, err := config.Proxy(&http.Request{URL: url})
		if err != nil {
			return nil, err
		}
		found.Proxy = proxy.String()
	}
	if config.AuthProvider != nil {
		found.AuthProvider = config.AuthProvider.Config
	}
	if plugin := config.ExecProvider; plugin != nil {
		env := map[string]string{}
		for _, variable := range plugin.Env {
			env[variable.Name] = variable.Value
		}
		found.Exec = &exec{plugin.APIVersion, plugin.Command, plugin.Args, env, string(plugin.InteractiveMode)}
	}
	return found, nil
}

// impersonation gives the headers that go over the wire.
func impersonation(config rest.ImpersonationConfig) map[string][]string {
	if config.UserName == "" {
		return nil
	}
	recorder := &recordingTransport{}
	request, _ := http.NewRequest(http.MethodGet, "http://localhost/", nil)
	wrapped, err := rest.HTTPWrappersForConfig(&rest.Config{Impersonate: config}, recorder)
	if err != nil {
		return nil
	}
	wrapped.RoundTrip(request)
	return recorder.seen
}

type recordingTransport struct{ seen http.Header }

func (transport *recordingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	transport.seen = http.Header{}
	for name, values := range request.Header {
		if len(name) > 12 && name[:12] == "Impersonate-" {
			transport.seen[name] = values
		}
	}
	return nil, http.ErrNotSupported
}
