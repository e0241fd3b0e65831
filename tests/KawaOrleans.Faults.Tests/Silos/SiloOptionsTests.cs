using KawaOrleans.Silo.Configuration;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>What an operator may get wrong is refused before anything is opened, and the answer names it.</summary>
public sealed class SiloOptionsTests
{
    [Fact]
    public void The_defaults_work() => Assert.True(new KawaNodeOptionsValidator().Validate(null, new KawaNodeOptions()).Succeeded);

    [Theory]
    [InlineData("--data ./d --node n --silo-port 1 --gateway-port=2 --Kawa:HttpPort 3 --Logging:LogLevel:Default=Debug", null)]
    [InlineData("--dta ./d", "--dta")]
    [InlineData("--data", "--data")]
    [InlineData("--data --node n", "--data")]
    [InlineData("./d", "./d")]
    public void A_mistyped_switch_is_refused_by_its_name(string arguments, string? named)
    {
        var reason = CommandLine.WhyNot(arguments.Split(' '));
        Assert.Equal(named is null, reason is null);
        Assert.Contains(named ?? "", reason ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Every_option_has_a_switch_and_every_switch_sets_an_option()
    {
        var options = typeof(KawaNodeOptions).GetProperties().Select(static option => $"Kawa:{option.Name}").Order();
        Assert.Equal(options, CommandLine.Mappings.Values.Where(static key => key.StartsWith("Kawa:", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void Each_wrong_option_is_named_with_its_switch()
    {
        var wrong = new KawaNodeOptions
        {
            DataDirectory = " ", ChainStorePath = "", NodeName = "Bad Name", AdvertisedAddress = "here", SiloPort = 0, GatewayPort = 70_000,
            HttpPort = -1, Join = "elsewhere", ClusterId = "", ServiceId = "", Replicas = 4, Redis = "",
        };
        var failures = new KawaNodeOptionsValidator().Validate(null, wrong).Failures!.ToList();
        Assert.All(CommandLine.Mappings.Where(static mapping => mapping.Value.StartsWith("Kawa:", StringComparison.Ordinal)), mapping =>
            Assert.Contains(failures, failure => failure.StartsWith($"{mapping.Value} ({mapping.Key}): ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("redis-1:6379", null)]
    [InlineData("redis-1:6379,password=hunter2,ssl=true,connectTimeout=2000", null)]
    [InlineData("redis-1:6379,pasword=hunter2", "pasword")]
    [InlineData("redis-1:6379,redis-2:6379", "one Redis")]
    [InlineData("password=hunter2", "one Redis")]
    [InlineData(" ", "empty")]
    public void Redis_takes_one_place_and_its_options_and_never_says_a_password(string redis, string? named)
    {
        var result = new KawaNodeOptionsValidator().Validate(null, new KawaNodeOptions { Redis = redis });
        Assert.Equal(named is null, result.Succeeded);
        Assert.Contains(named ?? "", result.FailureMessage ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", result.FailureMessage ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Redis_leaves_no_room_for_a_first_silo_or_a_directory_of_chains()
    {
        var both = new KawaNodeOptions { Redis = "redis-1:6379", Join = "localhost:11111", ChainStorePath = "./chains" };
        Assert.Collection(
            new KawaNodeOptionsValidator().Validate(null, both).Failures!,
            static chains => Assert.Matches(@"^Kawa:ChainStorePath \(--chain-store\): .*Kawa:Redis \(--redis\).* leave one of the two out", chains),
            static join => Assert.Matches(@"^Kawa:Join \(--join\): .*Kawa:Redis \(--redis\).* leave one of the two out", join));
    }

    [Fact]
    public void Ports_that_collide_are_refused() =>
        Assert.True(new KawaNodeOptionsValidator().Validate(null, new KawaNodeOptions { GatewayPort = 8080 }).Failed);

    [Theory]
    [InlineData("localhost:11111", "localhost", 11111)]
    [InlineData("10.0.0.7:1", "10.0.0.7", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    [InlineData("localhost", null, 0)]
    [InlineData(":11111", null, 0)]
    [InlineData("localhost:0", null, 0)]
    [InlineData("localhost:65536", null, 0)]
    [InlineData("::1:11111", null, 0)]
    public void Join_takes_host_and_port(string text, string? host, int port)
    {
        Assert.Equal(host is not null, HostAndPort.TryParse(text, out var parsed));
        Assert.Equal((host, port), (parsed.Host, parsed.Port));
    }
}
