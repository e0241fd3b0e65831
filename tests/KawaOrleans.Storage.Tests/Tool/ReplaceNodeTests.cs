namespace KawaOrleans.Storage.Tests.Tool;

/// <summary>What the commands for a cluster answer before they reach one. What they do there: RedisFaultTests.</summary>
public sealed class ReplaceNodeTests
{
    private const string Closed = "127.0.0.1:1";

    [Fact]
    public async Task A_node_is_not_given_up_where_nobody_can_be_asked()
    {
        var refused = await Invocation.RunAsync("replace-node", "node-1", "--gateway", Closed);
        Assert.Equal(2, refused.Code);
        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replace-node", "node-1", "--yes")]
    [InlineData("rebuild")]
    public async Task A_command_for_a_cluster_needs_a_gateway_that_answers(params string[] command)
    {
        var none = await Invocation.RunAsync(command);
        Assert.Equal(2, none.Code);
        Assert.Contains("--gateway", none.Error, StringComparison.Ordinal);

        var senseless = await Invocation.RunAsync([.. command, "--gateway", "here"]);
        Assert.Equal(2, senseless.Code);
        Assert.Contains("host:port", senseless.Error, StringComparison.Ordinal);

        var silent = await Invocation.RunAsync([.. command, "--gateway", Closed, "--cluster-id", "mine"]);
        Assert.Equal(2, silent.Code);
        Assert.Contains(Closed, silent.Error, StringComparison.Ordinal);
        Assert.Contains("'mine'", silent.Error, StringComparison.Ordinal);
    }
}
