#include "launcher/plan/cluster_options.h"

namespace mirrorfs {

namespace po = boost::program_options;

void AddAccessOptions(po::options_description& options, ClusterFlags& flags) {
  auto add = options.add_options();
  add("context", po::value(&flags.context));
  add("kubeconfig", po::value(&flags.kubeconfig));
  add("kube-as", po::value(&flags.impersonate));
  add("kube-as-group", po::value(&flags.impersonate_groups)->composing());
}

void AddClusterOptions(po::options_description& options, ClusterFlags& flags) {
  AddAccessOptions(options, flags);
  auto add = options.add_options();
  add("container,c", po::value(&flags.container));
  add("selector,l", po::value(&flags.selector));
  add("namespace,n", po::value(&flags.name_space));
}

}  // namespace mirrorfs
