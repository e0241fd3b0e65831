using Orleans.Runtime;
using Orleans.Runtime.Services;

namespace KawaOrleans.Server.Nodes;

/// <summary>Addresses the node service of exactly one silo, without placement and without the grain directory.</summary>
internal sealed class NodeServiceClient(IServiceProvider services) : GrainServiceClient<INodeService>(services)
{
    public INodeService At(SiloAddress silo) => GetGrainService(silo);
}
