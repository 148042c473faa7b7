$(eval $(call host_test,lib-fmt,hv/lib/tests/test_fmt.c hv/lib/fmt.c,$(HOST_HV)))
