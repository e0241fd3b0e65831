using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Orleans.Runtime;
using Orleans.Services;

namespace KawaOrleans.Cluster.Tests.Nodes;

public sealed class NodeServiceTests
{
    /// <summary>A client can address a grain service: its id is no secret. So the service itself checks who calls.</summary>
    [Fact]
    public async Task A_client_that_addresses_a_nodes_service_is_refused_and_silos_are_not()
    {
        await using var cluster = await KawaCluster.Start(2);
        var silo = cluster.Handle(1).SiloAddress;
        var id = ((GrainReference)(object)cluster.Service<NodeServiceClient>(0).At(silo)).GrainId;
        var addressed = cluster.Client.GetGrain<INodeService>(id);

        var refusal = await Assert.ThrowsAsync<RequestRefusedException>(() => addressed.Report());
        Assert.Contains("client", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RequestRefusedException>(() => addressed.Fence(Guid.NewGuid(), Guid.NewGuid(), 0));
        await Assert.ThrowsAsync<RequestRefusedException>(() => addressed.Inventory(null));

        var report = await cluster.Service<NodesClient>(0).Report("node-1", default);
        Assert.True(report.IsKnown, report.Unknown);
        Assert.Equal("node-1", report.Value!.Node.Name);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_had_is_unknown_with_the_reason()
    {
        await using var cluster = await KawaCluster.Start(2);
        var nodes = cluster.Service<NodesClient>(0);

        var nobody = await nodes.Report("node-9", default);
        var noSegment = await nodes.Fence("node-1", Guid.NewGuid(), Guid.NewGuid(), 0, default);
        await cluster.Kill(1);
        var dead = await nodes.Inventory("node-1", null, default);

        Assert.Contains("node-9", nobody.Unknown, StringComparison.Ordinal);
        Assert.Contains("no file of segment", noSegment.Unknown, StringComparison.Ordinal);
        Assert.False(dead.IsKnown);
        Assert.Contains("node-1", dead.Unknown, StringComparison.Ordinal);
        Assert.Equal(["node-0"], nodes.Live);
    }
}
