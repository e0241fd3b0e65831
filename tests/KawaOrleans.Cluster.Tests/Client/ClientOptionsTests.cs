using KawaOrleans.Client;

namespace KawaOrleans.Cluster.Tests.Client;

public sealed class ClientOptionsTests
{
    [Theory]
    [InlineData(nameof(KawaClientOptions.NodeSilence), 0.1, 30, 0.001)]
    [InlineData(nameof(KawaClientOptions.RetryFor), 0, 300, 0.001)]
    [InlineData(nameof(KawaClientOptions.BlocksAhead), 1, 64, 1)]
    [InlineData(nameof(KawaClientOptions.ReadBlockBytes), 4096, 8 << 20, 1)]
    public void A_bound_is_taken_and_what_lies_beyond_it_is_refused_by_the_propertys_name(string property, double least, double most, double step)
    {
        Assert.Null(WhyNot(property, least));
        Assert.Null(WhyNot(property, most));
        Assert.StartsWith($"{nameof(KawaClientOptions)}.{property} ", WhyNot(property, least - step), StringComparison.Ordinal);
        Assert.StartsWith($"{nameof(KawaClientOptions)}.{property} ", WhyNot(property, most + step), StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_good() => Assert.True(new KawaClientOptionsValidator().Validate(null, new KawaClientOptions()).Succeeded);

    [Fact]
    public async Task A_client_with_bad_options_does_not_start_and_says_why()
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => KawaCluster.Start(1, configureClient: static client => client.AddKawaClient(options => options.BlocksAhead = 0)));
        Assert.Contains($"{nameof(KawaClientOptions)}.{nameof(KawaClientOptions.BlocksAhead)}", error.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Times in seconds.</summary>
    private static string? WhyNot(string property, double value)
    {
        var options = new KawaClientOptions();
        switch (property)
        {
            case nameof(KawaClientOptions.NodeSilence):
                options.NodeSilence = TimeSpan.FromSeconds(value);
                break;
            case nameof(KawaClientOptions.RetryFor):
                options.RetryFor = TimeSpan.FromSeconds(value);
                break;
            case nameof(KawaClientOptions.BlocksAhead):
                options.BlocksAhead = (int)value;
                break;
            default:
                options.ReadBlockBytes = (int)value;
                break;
        }

        return new KawaClientOptionsValidator().Validate(null, options).FailureMessage;
    }
}
