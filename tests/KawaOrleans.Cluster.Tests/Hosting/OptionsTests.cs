using KawaOrleans.Server;

namespace KawaOrleans.Cluster.Tests.Hosting;

public sealed class OptionsTests
{
    private static KawaEventStoreOptions Good() => new() { DataDirectory = "/data/a", NodeName = "node-1", ChainStorePath = "/data/chains" };

    [Fact]
    public void Good_options_are_taken() => Assert.Null(KawaEventStoreOptionsValidator.WhyNot(Good(), "Silo_1"));

    [Theory]
    [InlineData(nameof(KawaEventStoreOptions.DataDirectory))]
    [InlineData(nameof(KawaEventStoreOptions.NodeName))]
    [InlineData(nameof(KawaEventStoreOptions.ChainStorePath))]
    [InlineData(nameof(KawaEventStoreOptions.UseGrainStorageForChains))]
    public void A_refusal_names_the_property(string property)
    {
        var options = Good();
        switch (property)
        {
            case nameof(KawaEventStoreOptions.DataDirectory):
                options.DataDirectory = " ";
                break;
            case nameof(KawaEventStoreOptions.NodeName):
                options.NodeName = "Node 1";
                break;
            case nameof(KawaEventStoreOptions.ChainStorePath):
                options.ChainStorePath = "/data/a/chains";
                break;
            default:
                options.UseGrainStorageForChains = true;
                break;
        }

        Assert.Contains(property, KawaEventStoreOptionsValidator.WhyNot(options, "Silo_1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_node_name_the_silos_name_must_be_one()
    {
        var options = Good();
        options.NodeName = null;
        Assert.Null(KawaEventStoreOptionsValidator.WhyNot(options, "silo-1"));
        Assert.Contains("Silo_ab12c", KawaEventStoreOptionsValidator.WhyNot(options, "Silo_ab12c"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_with_bad_options_does_not_start_and_says_why()
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => KawaCluster.Start(
            1, configure: silo => silo.AddKawaEventStore(options => options.ChainStorePath = null)));
        Assert.Contains(nameof(KawaEventStoreOptions.ChainStorePath), error.ToString(), StringComparison.Ordinal);
    }
}
